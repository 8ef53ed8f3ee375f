import type { ArchiveSource } from "../contracts/archive.ts";
import type { Destination, JobTag, StoredObject } from "../contracts/destination.ts";
import type { DeliveryReport } from "../contracts/run.ts";
import { isTransient } from "../destinations/errors.ts";
import { orAborted } from "../lib/abortable.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { messageOf, UserError } from "../lib/errors.ts";
import { retry } from "../lib/retry.ts";
import type { LocalFailure } from "./staging.ts";

/** What is delivered: a `StagedArchive`, or in tests just a source. */
export interface Deliverable {
  readonly source: ArchiveSource;
  /** The destination in whose folder the archive already lies under a hidden name. */
  readonly local: Destination | undefined;
  readonly localFailure: LocalFailure | undefined;
  publishLocal(): Promise<StoredObject>;
}

export interface DeliveryRetry {
  readonly attempts: number;
  readonly baseMs: number;
  readonly maxMs: number;
  /** No attempt begins later than this after the first. */
  readonly totalMs: number;
}

export interface DeliverOptions {
  readonly name: string;
  readonly owner: JobTag;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly retry?: Partial<DeliveryRetry>;
  /** `destination` is its label, `error` one line. */
  onRetry?(destination: string, attempt: number, error: string, waitMs: number): void;
  onProgress?(destination: string, bytesSent: number): void;
  /** As each one ends; the returned list has all of them in the order of `destinations`. */
  onDone?(report: DeliveryReport): void;
}

/** A store that stays silent is given up within four minutes, all attempts together. */
const RETRY: DeliveryRetry = { attempts: 4, baseMs: 2_000, maxMs: 30_000, totalMs: 240_000 };

/** What a destination may still need to clean up once a run is told to stop. */
const ABORT_GRACE_MS = 1_000;

/**
 * Delivers to every destination at the same time and independently, from the first byte on if the archive still grows.
 * Never rejects: each outcome is a report.
 */
export async function deliverAll(
  archive: Deliverable,
  destinations: readonly Destination[],
  options: DeliverOptions,
): Promise<readonly DeliveryReport[]> {
  return await Promise.all(
    destinations.map(async (destination) => {
      const report = await deliverOne(archive, destination, options);
      options.onDone?.(report);
      return report;
    }),
  );
}

/** The report of a delivery that failed before it could begin. */
export function failedDelivery(
  destination: Destination,
  error: unknown,
  durationMs: number,
  attempts: number,
): DeliveryReport {
  return {
    destination: destination.label,
    kind: destination.kind,
    status: "failed",
    durationMs,
    attempts,
    error: describe(error),
  };
}

async function deliverOne(
  archive: Deliverable,
  destination: Destination,
  options: DeliverOptions,
): Promise<DeliveryReport> {
  const clock = options.clock ?? systemClock;
  const startedAt = clock.now();
  let attempts = 0;
  let sourceFailed = false;
  archive.source.finished.catch(() => void (sourceFailed = true));
  try {
    if (archive.localFailure?.destination === destination) {
      attempts = 1;
      throw archive.localFailure.error;
    }
    const stored = await retry(
      (attempt) => {
        attempts = attempt;
        return within(options.signal, attemptOnce(archive, destination, options));
      },
      {
        ...RETRY,
        ...options.retry,
        signal: options.signal,
        // An archive that failed does not become whole by sending it again.
        isTransient: (error) => !sourceFailed && isTransient(error),
        onRetry: ({ attempt, error, waitMs }) => options.onRetry?.(destination.label, attempt, describe(error), waitMs),
      },
    );
    return {
      destination: destination.label,
      kind: destination.kind,
      status: "stored",
      sizeBytes: stored.sizeBytes,
      ...(stored.verified === undefined ? {} : { verified: stored.verified }),
      durationMs: clock.now() - startedAt,
      attempts,
    };
  } catch (error) {
    return failedDelivery(destination, error, clock.now() - startedAt, attempts);
  }
}

async function attemptOnce(
  archive: Deliverable,
  destination: Destination,
  options: DeliverOptions,
): Promise<StoredObject> {
  const { name, owner, signal } = options;
  if (archive.local === destination) {
    await orAborted(archive.source.finished, signal);
    return await archive.publishLocal();
  }
  return await destination.put(name, archive.source, {
    area: "archive",
    owner,
    signal,
    onProgress: (bytesSent) => options.onProgress?.(destination.label, bytesSent),
  });
}

/** A destination that ignores the abort is left behind after its grace. */
async function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    timer = setTimeout(() => late.abort(signal.reason), ABORT_GRACE_MS);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await orAborted(work, late.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

function describe(error: unknown): string {
  const hint = error instanceof UserError ? error.hint : undefined;
  return hint === undefined ? messageOf(error) : `${messageOf(error)} (${hint})`;
}
