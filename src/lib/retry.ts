import { sleep } from "./clock.ts";

export interface RetryOptions {
  /** Calls in all, the first included; at least 1. */
  readonly attempts: number;
  /** Wait before the second call, before jitter; doubles with every further call. */
  readonly baseMs: number;
  /** Upper bound of one wait. */
  readonly maxMs: number;
  /** No call begins later than this after the first one; absent: only `attempts` bounds it. */
  readonly totalMs?: number;
  readonly signal: AbortSignal;
  /** Whether another call could help. */
  isTransient(thrown: unknown): boolean;
  /** What the other side asked for (`Retry-After`), in milliseconds; never waits less, nor longer than `longestAskedMs`. */
  waitAskedMs?(thrown: unknown): number | undefined;
  /** Default: `maxMs`. Where a longer wait is asked for than this, `isTransient` had better say no. */
  readonly longestAskedMs?: number;
  onRetry?(retry: { readonly attempt: number; readonly waitMs: number; readonly error: unknown }): void;
  /** For tests: 0 to 1. */
  random?(): number;
  /** For tests: milliseconds on a steady clock. */
  now?(): number;
}

/**
 * Calls `fn` until it succeeds, fails for good, or the bounds are reached; rejects with the last failure. Waits grow
 * exponentially, each between half and all of its step, so that many sidecars do not come back in step. An abort ends a
 * wait at once and rejects with the signal's reason.
 */
export async function retry<T>(fn: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const random = (): number => options.random?.() ?? Math.random();
  const now = (): number => options.now?.() ?? performance.now();
  const startedAt = now();
  for (let attempt = 1; ; attempt += 1) {
    options.signal.throwIfAborted();
    try {
      return await fn(attempt);
    } catch (error) {
      if (options.signal.aborted || attempt >= options.attempts || !options.isTransient(error)) throw error;
      const waitMs = waitBefore(attempt, options, error, random());
      if (options.totalMs !== undefined && now() - startedAt + waitMs > options.totalMs) throw error;
      options.onRetry?.({ attempt, waitMs, error });
      await sleep(waitMs, options.signal);
    }
  }
}

function waitBefore(attempt: number, options: RetryOptions, error: unknown, random: number): number {
  const step = Math.min(options.maxMs, options.baseMs * 2 ** (attempt - 1));
  const jittered = step / 2 + (step / 2) * random;
  const asked = Math.min(options.longestAskedMs ?? options.maxMs, options.waitAskedMs?.(error) ?? 0);
  return Math.round(Math.max(jittered, asked));
}
