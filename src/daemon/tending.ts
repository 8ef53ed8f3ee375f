/** Keeps an appointment: what is to be done between runs, at the earliest of the times that were asked for. */
export interface Tending {
  /** Milliseconds since the epoch; a time in the past means soon. */
  at(timeMs: number | undefined): void;
  stop(): void;
}

/** A child costs a fraction of a second of CPU time: not more often than this. */
const SHORTEST_PAUSE_MS = 1_000;
/** `setTimeout` takes no more than 2^31 ms; a longer wait is cut into pieces. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

/** `work` returns when to come again, undefined where nothing waits. It never rejects. */
export function createTending(work: () => Promise<number | undefined>): Tending {
  let timer: NodeJS.Timeout | undefined;
  let dueMs: number | undefined;
  let isStopped = false;

  const wait = (): void => {
    clearTimeout(timer);
    if (dueMs === undefined || isStopped) return;
    const waitMs = Math.min(Math.max(dueMs - Date.now(), SHORTEST_PAUSE_MS), LONGEST_WAIT_MS);
    timer = setTimeout(() => void ring(), waitMs);
  };
  const ring = async (): Promise<void> => {
    if (dueMs !== undefined && dueMs > Date.now()) return wait();
    dueMs = undefined;
    const nextMs = await work();
    tending.at(nextMs);
  };
  const tending: Tending = {
    at(timeMs) {
      if (timeMs === undefined || (dueMs !== undefined && dueMs <= timeMs)) return;
      dueMs = timeMs;
      wait();
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
  return tending;
}
