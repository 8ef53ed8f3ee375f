import { DestinationError } from "../lib/errors.ts";
import { retry } from "../lib/retry.ts";
import { isTransient } from "./errors.ts";
import { SILENCE_MS } from "./limits.ts";

export interface AttemptsOptions {
  readonly signal: AbortSignal;
  /** Calls of one piece of work in all, the first included. */
  readonly attempts?: number;
  /** Give up when nothing has succeeded for this long. */
  readonly silenceMs?: number;
  /** Wait before the second call; doubles with each. */
  readonly baseMs?: number;
  /** Told of each `progressed()`. */
  onProgressed?(): void;
}

/** Repeats the calls of one delivery (a part, a block, a resumed stream) while the store is merely unavailable. */
export interface Attempts {
  /**
   * Calls `work` until it succeeds, fails for good, or the bounds are reached. A failure whose retries are used up is marked
   * `isFinal`, so that nobody repeats the whole delivery at once.
   */
  call<T>(work: (attempt: number) => Promise<T>): Promise<T>;
  /** A byte was confirmed, or surely taken: the time of silence begins anew. */
  progressed(): void;
}

const ATTEMPTS = 6;
const BASE_MS = 500;
const MAX_WAIT_MS = 30_000;

export function createAttempts(options: AttemptsOptions): Attempts {
  const { signal } = options;
  const silenceMs = options.silenceMs ?? SILENCE_MS;
  let lastProgressAt = performance.now();
  const silentMs = (): number => performance.now() - lastProgressAt;
  return {
    progressed() {
      lastProgressAt = performance.now();
      options.onProgressed?.();
    },
    async call<T>(work: (attempt: number) => Promise<T>): Promise<T> {
      let lastCallMs = 0;
      const timed = async (attempt: number): Promise<T> => {
        const startedAt = performance.now();
        try {
          return await work(attempt);
        } finally {
          // What went well before is no reason to expect that it takes as long again.
          lastCallMs = performance.now() - Math.max(startedAt, lastProgressAt);
        }
      };
      try {
        const result = await retry(timed, {
          attempts: options.attempts ?? ATTEMPTS,
          baseMs: options.baseMs ?? BASE_MS,
          maxMs: MAX_WAIT_MS,
          signal,
          // The next call may take as long as this one did, and a store that asks for more patience than is left is given up
          // now: neither must begin where it would end too late.
          isTransient: (thrown) => isTransient(thrown) && silentMs() + lastCallMs + (askedMs(thrown) ?? 0) < silenceMs,
          waitAskedMs: askedMs,
          longestAskedMs: silenceMs,
        });
        lastProgressAt = performance.now();
        return result;
      } catch (error) {
        throw isTransient(error) && !signal.aborted ? asFinal(error) : error;
      }
    },
  };
}

function askedMs(thrown: unknown): number | undefined {
  return thrown instanceof DestinationError ? thrown.retryAfterMs : undefined;
}

function asFinal(error: unknown): unknown {
  if (!(error instanceof DestinationError)) return error;
  return new DestinationError(error.code, error.message, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
    isFinal: true,
  });
}
