/** When what could not be delivered is sent again: after growing pauses, while the daemon is otherwise idle. */
export interface Retries {
  /** A run left something that waits: the pauses begin anew. */
  expect(): void;
  stop(): void;
}

export interface RetriesOptions {
  /** Tries everything that waits once; whether something still does. Never rejects. */
  attempt(): Promise<boolean>;
  /** A run is going on, or about to. */
  isBusy(): boolean;
  /** For tests. */
  readonly pausesMs?: readonly number[];
}

const MINUTE_MS = 60_000;
/** The last one goes on until nothing waits: the next run of a job overtakes what waits of it. */
const PAUSES_MS: readonly number[] = [5, 10, 20, 40, 60].map((minutes) => minutes * MINUTE_MS);
const BUSY_PAUSE_MS = MINUTE_MS;

export function createRetries(options: RetriesOptions): Retries {
  const pausesMs = options.pausesMs ?? PAUSES_MS;
  let timer: NodeJS.Timeout | undefined;
  let tries = 0;
  let stopped = false;

  const arm = (pauseMs: number): void => {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(() => void due(), pauseMs);
  };
  const pause = (): number => pausesMs[Math.min(tries, pausesMs.length - 1)] ?? MINUTE_MS;
  const due = async (): Promise<void> => {
    if (options.isBusy()) {
      arm(Math.min(BUSY_PAUSE_MS, pause()));
      return;
    }
    tries += 1;
    const before = tries;
    const pending = await options.attempt();
    // A run that ended in between began the pauses anew.
    if (pending && tries === before) arm(pause());
  };

  return {
    expect() {
      tries = 0;
      arm(pause());
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
