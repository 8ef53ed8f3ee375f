import type { ChildTask } from "../contracts/task.ts";
import { messageOf } from "../lib/errors.ts";
import { startChild, type Child, type ChildEnd } from "./children.ts";

/** Children one after another: a run never meets the healing of an earlier one. */
export interface ChildLine {
  /**
   * Starts the task when all before it have ended; undefined where the line was stopped before its turn. A `retry` that goes
   * on is ended for a `run`. What tells people waits for a while only, and then starts beside what goes on: a run that
   * hangs must not be silent.
   */
  run(task: ChildTask): Promise<ChildEnd | undefined>;
  /** Ends the children that run, with SIGTERM and after `graceMs` with SIGKILL; starts no other than `note` tasks. These get no SIGTERM. */
  stop(graceMs: number): void;
}

interface Running {
  readonly child: Child;
  readonly kind: ChildTask["kind"];
}

const RETRY_GRACE_MS = 5_000;
/** Two children at once need the memory of two, so a run of common length has the machine to itself. */
const PATIENCE_MS = 5 * 60_000;
const TELLING: ReadonlySet<ChildTask["kind"]> = new Set(["note", "tend"]);

/** `patienceMs`, for tests: how long what tells people waits for a run. */
export function createChildLine(entry: string, patienceMs = PATIENCE_MS): ChildLine {
  const running = new Set<Running>();
  let last: Promise<unknown> = Promise.resolve();
  let lastTelling: Promise<unknown> = Promise.resolve();
  let stopGraceMs: number | undefined;

  const end = ({ child, kind }: Running, graceMs: number): void => {
    // What happened is still written down while the daemon stops.
    if (kind === "note") child.bound(graceMs);
    else child.stop(graceMs);
  };

  const makeWayFor = (kind: ChildTask["kind"]): void => {
    if (kind !== "run") return;
    for (const other of running) if (other.kind === "retry") other.child.stop(RETRY_GRACE_MS);
  };

  const start = async (task: ChildTask): Promise<ChildEnd | undefined> => {
    if (stopGraceMs !== undefined && task.kind !== "note") return undefined;
    let one: Running;
    try {
      one = { child: startChild(task, entry), kind: task.kind };
    } catch (thrown) {
      // This task's end only: whoever comes behind it must still have a turn.
      return { code: undefined, signal: undefined, answer: undefined, error: messageOf(thrown) };
    }
    running.add(one);
    if (stopGraceMs !== undefined) end(one, stopGraceMs);
    try {
      return await one.child.ended;
    } finally {
      running.delete(one);
    }
  };
  return {
    run(task) {
      makeWayFor(task.kind);
      const isTelling = TELLING.has(task.kind);
      const before = isTelling ? Promise.all([lastTelling, within(last, patienceMs)]) : last;
      const turn = before.then(() => start(task));
      if (isTelling) lastTelling = turn;
      last = Promise.all([last, turn]);
      return turn;
    },
    stop(graceMs) {
      stopGraceMs = graceMs;
      for (const one of running) end(one, graceMs);
    },
  };
}

/** Resolves with the promise, or when the time is over. */
async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, over]);
  clearTimeout(timer);
}

export function describeEnd(end: ChildEnd): string {
  if (end.error !== undefined) return end.error;
  if (end.signal === "SIGKILL") return "SIGKILL (out of memory, or killed by hand)";
  return end.signal ?? `exit code ${end.code ?? "unknown"}`;
}
