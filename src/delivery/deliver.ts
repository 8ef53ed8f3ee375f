import type { Destination, JobTag, StoredObject } from "../contracts/destination.ts";
import type { DeliveryReport } from "../contracts/run.ts";
import { isTransient } from "../destinations/errors.ts";
import { orAborted } from "../lib/abortable.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { DestinationError, messageOf, UserError } from "../lib/errors.ts";
import { retry } from "../lib/retry.ts";
import type { ArchiveFacts, ArchiveReader } from "./reader.ts";
import { type SilenceWatch, watchSilence } from "./silence.ts";
import type { LocalFailure } from "./staged-archive.ts";
import { limited, type UploadLimit } from "./upload-limit.ts";

/** What is delivered: a `StagedArchive`, or what waits in the spool. */
export interface Deliverable {
  readonly finished: Promise<ArchiveFacts>;
  openReader(): ArchiveReader;
  /** The destination in whose folder the archive already lies under a hidden name. */
  readonly local: Destination | undefined;
  readonly localFailure: LocalFailure | undefined;
  publishLocal(): Promise<StoredObject>;
}

export interface DeliveryRetry {
  readonly attempts: number;
  readonly baseMs: number;
  readonly maxMs: number;
  /** No attempt begins when the store has given no sign of life for this long. */
  readonly totalMs: number;
}

export interface DeliverOptions {
  readonly name: string;
  readonly owner: JobTag;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly retry?: Partial<DeliveryRetry>;
  /** Over all deliveries that share it; a local folder is no upload. */
  readonly uploadLimit?: UploadLimit | undefined;
  /** For tests: how long a store may be silent. */
  readonly silentMs?: number | undefined;
  /** Comes before the first byte to a remote store. Its failure is the delivery's; bounding it is its own matter. */
  prepare?(destination: Destination, signal: AbortSignal): Promise<void>;
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
  archive.finished.catch(() => void (sourceFailed = true));
  const isThere = archive.local === destination;
  const reader = isThere ? undefined : archive.openReader();
  const canBeginAnew = (): boolean => reader === undefined || reader.firstByte === 0;
  try {
    if (archive.localFailure?.destination === destination) {
      attempts = 1;
      throw archive.localFailure.error;
    }
    const { attempt, silentMs } =
      reader === undefined ? publisher(archive, options) : sender(reader, destination, options);
    const { totalMs, ...bounds } = { ...RETRY, ...options.retry };
    const stored = await retry(
      (count) => {
        attempts = count;
        return attempt(count);
      },
      {
        ...bounds,
        signal: options.signal,
        // An archive that failed does not become whole by sending it again.
        isTransient: (error) =>
          !sourceFailed && isTransient(error) && canBeginAnew() && silentMs() + (askedMs(error) ?? 0) < totalMs,
        waitAskedMs: askedMs,
        longestAskedMs: totalMs,
        onRetry({ attempt: count, error, waitMs }) {
          reader?.hold();
          options.onRetry?.(destination.label, count, describe(error), waitMs);
        },
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
    const report = failedDelivery(destination, error, clock.now() - startedAt, attempts);
    if (sourceFailed || canBeginAnew() || !isTransient(error)) return report;
    return { ...report, error: `${describe(error)}; ${GONE}` };
  } finally {
    reader?.close();
  }
}

const GONE = "it can't be sent again, because its beginning is no longer in the memory window (see BACKUP_STAGING)";

interface Sender {
  /** Rejects with the failure of this one attempt. */
  attempt(count: number): Promise<StoredObject>;
  /** For how long the store has given no sign of life. */
  silentMs(): number;
}

/** The archive lies in the destination's own folder, and only gets its name. */
function publisher(archive: Deliverable, { signal }: DeliverOptions): Sender {
  let failingSinceMs: number | undefined;
  return {
    async attempt() {
      await orAborted(archive.finished, signal);
      failingSinceMs ??= performance.now();
      return await within(signal, archive.publishLocal());
    },
    silentMs: () => performance.now() - (failingSinceMs ?? performance.now()),
  };
}

function sender(reader: ArchiveReader, destination: Destination, options: DeliverOptions): Sender {
  const { name, owner } = options;
  // A local folder is no upload.
  const source = limited(reader, destination.kind === "local" ? undefined : options.uploadLimit);
  let heardAtMs = performance.now();
  const send = async (attempt: number, watch: SilenceWatch): Promise<StoredObject> => {
    const { signal } = watch;
    if (attempt === 1) await options.prepare?.(destination, signal);
    return await destination.put(name, watch.source, {
      area: "archive",
      owner,
      signal,
      onProgress(bytesSent) {
        watch.heard();
        reader.progressed();
        options.onProgress?.(destination.label, bytesSent);
      },
    });
  };
  return {
    async attempt(count) {
      const watch = watchSilence(source, options.signal, { heardAtMs, limitMs: options.silentMs });
      try {
        return await within(watch.signal, send(count, watch));
      } finally {
        heardAtMs = watch.end();
      }
    },
    silentMs: () => performance.now() - heardAtMs,
  };
}

function askedMs(error: unknown): number | undefined {
  return error instanceof DestinationError ? error.retryAfterMs : undefined;
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
