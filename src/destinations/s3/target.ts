import type { ArchiveSource } from "../../contracts/archive.ts";
import type { PutOptions } from "../../contracts/destination.ts";
import { DestinationError } from "../../lib/errors.ts";
import { printablePath } from "../../lib/printable.ts";
import { contentTypeOf } from "../content-type.ts";
import type { Store } from "./store.ts";
import type { S3Options } from "./options.ts";

/** What one upload writes to. */
export interface Target {
  readonly store: Store;
  readonly key: string;
  /** For messages: what cannot be done. */
  readonly attempt: string;
  /** What every request that makes the object says about it. */
  readonly headers: ObjectHeaders;
}

type ObjectHeaders = Awaited<ReturnType<typeof headersFor>>;

export async function targetOf(store: Store, name: string, body: ArchiveSource, options: PutOptions): Promise<Target> {
  const key = store.keyOf(options.area, name);
  const attempt = `cannot store ${printablePath(name)} in ${store.label}`;
  return { store, key, attempt, headers: await headersFor(store, name, body, options) };
}

async function headersFor(store: Store, name: string, body: ArchiveSource, { area }: PutOptions) {
  const { storageClass, bucket } = store.options;
  const known = await Promise.race([body.finished.catch(() => undefined), Promise.resolve(undefined)]);
  return {
    Bucket: bucket,
    ContentType: contentTypeOf(name),
    ...(known === undefined ? {} : { Metadata: { sha256: known.sha256 } }),
    // Records are read again; a class for cold storage would keep them from that.
    ...(storageClass === undefined || area === "record" ? {} : { StorageClass: storageClass as "STANDARD" }),
    ...encryptionOf(store.options),
  };
}

/** The store checks what it is given against its own list, so any text is passed on. */
export function encryptionOf({ sse, sseKmsKeyId }: S3Options) {
  return {
    ...(sse === undefined ? {} : { ServerSideEncryption: sse as "AES256" }),
    ...(sseKmsKeyId === undefined ? {} : { SSEKMSKeyId: sseKmsKeyId }),
  };
}

/** One call whose failure is translated; an abort's reason passes through. */
export async function translated<T>(
  { store, attempt }: Pick<Target, "store" | "attempt">,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw store.translate(error, attempt);
  }
}

export function wrongSize(attempt: string, sentBytes: number, expectedBytes: number): DestinationError {
  return new DestinationError("unavailable", `${attempt}: ${sentBytes} bytes were read instead of ${expectedBytes}`);
}

export function noS3Answer(attempt: string): DestinationError {
  return new DestinationError("unavailable", `${attempt}: the answer is not S3's`, {
    hint: "check that AWS_ENDPOINT speaks S3",
  });
}
