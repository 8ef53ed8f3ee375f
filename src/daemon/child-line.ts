import type { ChildTask } from "../contracts/task.ts";
import { startChild, type Child, type ChildEnd } from "./children.ts";

/** Children one after another: a run never meets the healing of an earlier one. */
export interface ChildLine {
  /** Starts the task when all before it have ended; undefined where the line was stopped before its turn. */
  run(task: ChildTask): Promise<ChildEnd | undefined>;
  /** Ends the child that runs, with SIGTERM and after `graceMs` with SIGKILL; starts no other than `note` tasks. */
  stop(graceMs: number): void;
}

export function createChildLine(entry: string): ChildLine {
  let current: Child | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let stopped = false;

  const start = async (task: ChildTask): Promise<ChildEnd | undefined> => {
    // What happened is still written down while the daemon stops.
    if (stopped && task.kind !== "note") return undefined;
    current = startChild(task, entry);
    try {
      return await current.ended;
    } finally {
      current = undefined;
    }
  };
  return {
    run(task) {
      const turn = last.then(() => start(task));
      last = turn;
      return turn;
    },
    stop(graceMs) {
      stopped = true;
      current?.stop(graceMs);
    },
  };
}

export function describeEnd(end: ChildEnd): string {
  if (end.error !== undefined) return end.error;
  if (end.signal === "SIGKILL") return "SIGKILL (out of memory, or killed by hand)";
  return end.signal ?? `exit code ${end.code ?? "unknown"}`;
}
