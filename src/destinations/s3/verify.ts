import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { DeleteObjectCommand, GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import type { Verified } from "../../contracts/destination.ts";
import { sleep } from "../../lib/clock.ts";
import { DestinationError } from "../../lib/errors.ts";
import { type Attempts, createAttempts } from "../attempts.ts";
import type { Store } from "./store.ts";

/** What was sent, and what the store said when it took it. */
export interface Sent {
  readonly key: string;
  readonly sizeBytes: number;
  /** As S3 makes it of MD5 sums: of the body, or of its parts' sums with their number. */
  readonly etag: string;
  /** What the store said it had stored; absent where it said nothing. */
  readonly answeredEtag: string | undefined;
  /** Of the whole body, in base64; absent where the store isn't asked to keep one. */
  readonly crc32: string | undefined;
  /** The store's checksum of every part was its MD5, so that of the whole must be of the same making. */
  readonly isMd5Store: boolean;
}

export interface Proof {
  readonly storedAt: number;
  readonly verified?: Verified;
}

/** What the store says is there. */
export interface Found {
  readonly sizeBytes: number | undefined;
  readonly etag: string | undefined;
  readonly crc32: string | undefined;
  readonly isTagOpaque: boolean;
  /** Which multipart upload it came of, as that has noted it. */
  readonly uploadStamp: string | undefined;
  readonly modifiedAt: number | undefined;
}

/** Metadata that a multipart upload gives its object: random, so that it can be told from all others. */
export const UPLOAD_STAMP = "lifeboat-upload";

/** A HEAD may come before the store has caught up with itself. */
const LOOKS = 3;
const LOOK_AGAIN_MS = 500;
/** For looking whether an archive is there after all. */
const LOOK_MS = 10_000;

/**
 * Compares what the store has with what was sent: the size always, the checksum where the store's can be computed here. What
 * is wrong is removed before the call rejects. A key that may not read is believed what it was answered; so is a store that
 * answered with the checksum of what was sent, and then can't be asked: also because there is no time left for it.
 */
export async function verify(
  store: Store,
  sent: Sent,
  attempt: string,
  signal: AbortSignal,
  calls: Attempts,
): Promise<Proof> {
  const isProven = sent.answeredEtag === sent.etag;
  const found = await look(store, sent.key, attempt, signal, calls).catch((error: unknown) => {
    const isUnasked = signal.aborted || (error instanceof DestinationError && error.code !== "not-found");
    if (!isProven || !isUnasked) throw error;
    return undefined;
  });
  if (found === undefined) return { storedAt: Date.now(), ...(isProven ? { verified: "md5" } : {}) };
  // A proxy on the way may drop the size.
  if (found.sizeBytes === undefined && found.etag === sent.etag)
    return { storedAt: found.modifiedAt ?? Date.now(), verified: "md5" };
  const verified = found.sizeBytes === sent.sizeBytes ? await compare(store, sent, found, signal) : "wrong";
  if (verified !== "wrong") return { storedAt: found.modifiedAt ?? Date.now(), verified };
  const isOurs = found.etag === undefined || sent.answeredEtag === undefined || found.etag === sent.answeredEtag;
  if (isOurs && found.sizeBytes !== undefined) await removeWrong(store, sent.key, signal);
  const what =
    found.sizeBytes === sent.sizeBytes
      ? "another content than was sent"
      : `${found.sizeBytes ?? "an unknown number of"} bytes instead of ${sent.sizeBytes}`;
  throw new DestinationError("unavailable", `${attempt}: the store holds ${what}`, {
    hint: isOurs
      ? "check the store at AWS_ENDPOINT"
      : "something else writes to the same AWS_S3_PATH and BACKUP_FILENAME",
  });
}

/** For an object of the right size. */
async function compare(store: Store, sent: Sent, found: Found, signal: AbortSignal): Promise<Verified | "wrong"> {
  if (found.etag === sent.etag) return "md5";
  if (found.crc32 !== undefined && sent.crc32 !== undefined) return found.crc32 === sent.crc32 ? "crc" : "wrong";
  // With keys of the store's own, and at some providers, the tag is no MD5 and says nothing.
  if (found.isTagOpaque || !/^[0-9a-f]{32}(?:-\d+)?$/.test(found.etag ?? "")) return "size";
  const [, parts] = sent.etag.split("-");
  if (parts !== undefined) return sent.isMd5Store && found.etag?.endsWith(`-${parts}`) === true ? "wrong" : "size";
  const md5 = await readBack(store, sent.key, signal);
  if (md5 === undefined) return "size";
  return md5 === sent.etag ? "md5" : "wrong";
}

/** The MD5 of what is there: only for objects of one part. Undefined where it can't be read. */
async function readBack(store: Store, key: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    return await store.small("cannot read it back", signal, async (abortSignal) => {
      const command = new GetObjectCommand({ Bucket: store.options.bucket, Key: key });
      const { Body } = await store.connection.run((client) => client.send(command, { abortSignal }));
      const hash = createHash("md5");
      for await (const chunk of Body as Readable) hash.update(chunk as Uint8Array);
      return hash.digest("hex");
    });
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** What is stored under a key; undefined where this key may not ask. Rejects with `not-found` where nothing is. */
async function look(
  store: Store,
  key: string,
  attempt: string,
  signal: AbortSignal,
  calls: Attempts,
): Promise<Found | undefined> {
  for (let looks = 1; ; looks += 1) {
    try {
      return await lookOnce(store, key, attempt, signal, calls);
    } catch (error) {
      if (!(error instanceof DestinationError)) throw error;
      if (error.code === "denied") return undefined;
      if (error.code !== "not-found" || looks === LOOKS) throw error;
      await sleep(LOOK_AGAIN_MS, signal);
    }
  }
}

/** An answer that got lost is no failure: what lies there decides. Undefined where that can't be found out soon. */
export async function lookAfterFailure(
  store: Store,
  key: string,
  attempt: string,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)]);
  return await look(store, key, attempt, limit, createAttempts({ signal: limit })).catch(() => undefined);
}

async function lookOnce(
  store: Store,
  key: string,
  attempt: string,
  signal: AbortSignal,
  calls: Attempts,
): Promise<Found> {
  const { bucket, usesCrc32 } = store.options;
  return await store.small(
    `${attempt}, looking at it`,
    signal,
    async (abortSignal) => {
      const command = new HeadObjectCommand({
        Bucket: bucket,
        Key: key,
        ...(usesCrc32 ? { ChecksumMode: "ENABLED" } : {}),
      });
      const head = await store.connection.run((client) => client.send(command, { abortSignal }));
      return {
        sizeBytes: head.ContentLength,
        etag: plainEtag(head.ETag),
        crc32: head.ChecksumType === "COMPOSITE" ? undefined : head.ChecksumCRC32,
        uploadStamp: head.Metadata?.[UPLOAD_STAMP],
        isTagOpaque:
          head.ServerSideEncryption?.startsWith("aws:kms") === true || head.SSECustomerAlgorithm !== undefined,
        modifiedAt: head.LastModified?.getTime(),
      };
    },
    calls,
  );
}

/** Some stores quote the tag, some don't. */
export function plainEtag(etag: string | undefined): string | undefined {
  const plain = etag?.replace(/^W\//, "").replaceAll('"', "").toLowerCase();
  return plain === "" ? undefined : plain;
}

async function removeWrong(store: Store, key: string, signal: AbortSignal): Promise<void> {
  const command = new DeleteObjectCommand({ Bucket: store.options.bucket, Key: key });
  await store
    .small("cannot remove it", signal, (abortSignal) =>
      store.connection.run((client) => client.send(command, { abortSignal })),
    )
    // The delivery fails with what was wrong; that it could not be removed changes nothing.
    .catch(() => undefined);
}
