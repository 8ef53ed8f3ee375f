import type { Job } from "../contracts/job.ts";
import type { ProcessOptions } from "../contracts/task.ts";
import { serializeJob } from "../config/serialize.ts";
import { type Child, startChild } from "./children.ts";

/** Looks at destinations beside everything else: in a child of its own that nothing waits for. */
export interface ConnectionCheck {
  /** Soon, together with others that are asked for until then. */
  check(jobs: readonly Job[]): void;
  stop(): void;
}

/** The first things that a daemon does at its start come first. */
const SETTLE_MS = 5_000;
const KILL_AFTER_MS = 120_000;

export function createConnectionCheck(entry: string, options: ProcessOptions, isBusy: () => boolean): ConnectionCheck {
  const waiting = new Map<string, Job>();
  let timer: NodeJS.Timeout | undefined;
  let child: Child | undefined;
  let stopped = false;

  const arm = (): void => {
    clearTimeout(timer);
    if (!stopped && waiting.size > 0) timer = setTimeout(look, SETTLE_MS);
  };
  const look = (): void => {
    // A run that goes on tells by itself, and two at a time would need twice the memory.
    if (isBusy() || child !== undefined) return arm();
    const jobs = [...waiting.values()].map(serializeJob);
    waiting.clear();
    child = startChild({ kind: "connect", options, jobs }, entry);
    child.bound(KILL_AFTER_MS);
    void child.ended.then(() => {
      child = undefined;
      arm();
    });
  };

  return {
    check(jobs) {
      for (const job of jobs) waiting.set(job.name, job);
      arm();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      child?.stop(1_000);
    },
  };
}
