import type { ChildTask } from "../contracts/task.ts";
import { startChild, type Child, type ChildEnd } from "./children.ts";

/** Children one after another: a run never meets the healing of an earlier one. */
export interface ChildLine {
  /**
   * Starts the task when all before it have ended; undefined where the line was stopped before its turn. A `retry` that goes
   * on is ended for a `run`.
   */
  run(task: ChildTask): Promise<ChildEnd | undefined>;
  /** Ends the child that runs, with SIGTERM and after `graceMs` with SIGKILL; starts no other than `note` tasks. These get no SIGTERM. */
  stop(graceMs: number): void;
}

const RETRY_GRACE_MS = 5_000;

export function createChildLine(entry: string): ChildLine {
  let current: { readonly child: Child; readonly kind: ChildTask["kind"] } | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let stopGraceMs: number | undefined;

  const end = ({ child, kind }: NonNullable<typeof current>, graceMs: number): void => {
    // What happened is still written down while the daemon stops.
    if (kind === "note") child.bound(graceMs);
    else child.stop(graceMs);
  };

  const makeWayFor = (kind: ChildTask["kind"]): void => {
    if (kind === "run" && current?.kind === "retry") current.child.stop(RETRY_GRACE_MS);
  };

  const start = async (task: ChildTask): Promise<ChildEnd | undefined> => {
    if (stopGraceMs !== undefined && task.kind !== "note") return undefined;
    current = { child: startChild(task, entry), kind: task.kind };
    if (stopGraceMs !== undefined) end(current, stopGraceMs);
    try {
      return await current.child.ended;
    } finally {
      current = undefined;
    }
  };
  return {
    run(task) {
      makeWayFor(task.kind);
      const turn = last.then(() => start(task));
      last = turn;
      return turn;
    },
    stop(graceMs) {
      stopGraceMs = graceMs;
      if (current !== undefined) end(current, graceMs);
    },
  };
}

export function describeEnd(end: ChildEnd): string {
  if (end.error !== undefined) return end.error;
  if (end.signal === "SIGKILL") return "SIGKILL (out of memory, or killed by hand)";
  return end.signal ?? `exit code ${end.code ?? "unknown"}`;
}
