import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { createHash, randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { JobTag } from "../../contracts/destination.ts";
import { orAborted } from "../../lib/abortable.ts";
import { DestinationError } from "../../lib/errors.ts";
import { type Attempts, createAttempts } from "../attempts.ts";
import type { Part } from "../send-parts.ts";
import { crc32Base64 } from "./crc32.ts";
import { isRefusal } from "./errors.ts";
import { sendInSlices } from "./sliced-body.ts";
import { noS3Answer, type Target, translated } from "./target.ts";
import { markKey, removeMark, writeMark } from "./upload-mark.ts";
import { lookAfterFailure, plainEtag, type Sent, UPLOAD_STAMP } from "./verify.ts";

/** What a run that was told to stop has for cleaning up, and what any other failure has. */
const STOP_MS = 800;
const CLEAN_UP_MS = 15_000;
/**
 * A part that was on its way during the abort may still arrive and bring the upload back ("it might be necessary to abort
 * a given multipart upload multiple times", says the API of AbortMultipartUpload): when it is aborted again.
 */
const ABORT_AGAIN_AFTER_MS = [200, 400];

/** One multipart upload, begun with its first part. */
export interface Multipart {
  send(part: Part, calls: Attempts, signal: AbortSignal): Promise<void>;
  /** The moment at which the archive appears. */
  complete(
    whole: { readonly sizeBytes: number; readonly crc32: number },
    calls: Attempts,
    signal: AbortSignal,
  ): Promise<Sent>;
  /** After a failure too: nothing unfinished stays. Never rejects. */
  end(signal: AbortSignal): Promise<void>;
}

interface Session {
  readonly uploadId: string;
  readonly parts: {
    PartNumber: number;
    ETag: string;
    ChecksumCRC32: string | undefined;
    md5: Buffer;
    isMd5: boolean;
  }[];
}

export function createMultipart(target: Target, owner: JobTag): Multipart {
  const { store, key, attempt, headers } = target;
  const { bucket, usesCrc32 } = store.options;
  const mark = markKey(store, key, owner);
  // Shows that what lies under the key came of this very upload, also where the store's checksums say nothing.
  const stamp = randomBytes(12).toString("hex");
  // Goes on after an abort: an upload whose id is not waited for can't be aborted.
  const creation = new AbortController();
  let session: Promise<Session> | undefined;
  let mayHaveBegun = false;
  let creations = 0;
  let wasCut = false;
  let isCompleted = false;

  const begin = async (calls: Attempts, signal: AbortSignal): Promise<Session> => {
    await writeMark(store, mark, signal);
    signal.throwIfAborted();
    const command = new CreateMultipartUploadCommand({
      ...headers,
      Metadata: { ...headers.Metadata, [UPLOAD_STAMP]: stamp },
      Key: key,
      ...(usesCrc32 ? { ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT" } : {}),
    });
    mayHaveBegun = true;
    const { UploadId } = await store
      .small(
        attempt,
        creation.signal,
        (abortSignal) => {
          creations += 1;
          return store.connection.run((client) => client.send(command, { abortSignal }));
        },
        calls,
      )
      .catch((error: unknown) => {
        if (error instanceof DestinationError && error.code !== "unavailable") mayHaveBegun = false;
        throw error;
      });
    if (UploadId === undefined || UploadId === "") throw noS3Answer(attempt);
    return { uploadId: UploadId, parts: [] };
  };

  const sendOnce = (part: Part, uploadId: string, calls: Attempts, signal: AbortSignal) =>
    store.connection.run((client) => {
      const command = new UploadPartCommand({
        Bucket: bucket,
        Key: key,
        UploadId: uploadId,
        PartNumber: part.number,
        Body: part.bytes,
        ContentMD5: part.md5.toString("base64"),
        ...(usesCrc32 ? { ChecksumAlgorithm: "CRC32" } : {}),
      });
      sendInSlices(command, part.bytes, () => calls.progressed());
      return client.send(command, { abortSignal: signal });
    });

  return {
    async send(part, calls, signal) {
      session ??= begin(calls, signal);
      const { uploadId, parts } = await orAborted(session, signal);
      const where = { store, attempt: `${attempt}, part ${part.number}` };
      const answer = await calls
        .call(() => translated(where, signal, () => sendOnce(part, uploadId, calls, signal)))
        .catch((error: unknown) => {
          wasCut = true;
          throw lostAsUnavailable(error);
        });
      if (answer.ETag === undefined) throw noS3Answer(attempt);
      const isMd5 = plainEtag(answer.ETag) === part.md5.toString("hex");
      const { ETag, ChecksumCRC32 } = answer;
      parts.push({ PartNumber: part.number, ETag, ChecksumCRC32, md5: part.md5, isMd5 });
    },

    async complete({ sizeBytes, crc32 }, calls, signal) {
      const { uploadId, parts } = await (session ?? begin(calls, signal));
      parts.sort((a, b) => a.PartNumber - b.PartNumber);
      const sums = createHash("md5");
      for (const part of parts) sums.update(part.md5);
      const etag = `${sums.digest("hex")}-${parts.length}`;
      const crc = usesCrc32 ? crc32Base64(crc32) : undefined;
      const sent = { key, sizeBytes, etag, crc32: crc, isMd5Store: parts.every((part) => part.isMd5) };
      const command = new CompleteMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        UploadId: uploadId,
        MultipartUpload: {
          Parts: parts.map(({ PartNumber, ETag, ChecksumCRC32 }) => ({
            PartNumber,
            ETag,
            ...(crc === undefined || ChecksumCRC32 === undefined ? {} : { ChecksumCRC32 }),
          })),
        },
        ...(crc === undefined ? {} : { ChecksumType: "FULL_OBJECT", ChecksumCRC32: crc, MpuObjectSize: sizeBytes }),
      });
      const where = { store, attempt: `${attempt}, putting its parts together` };
      try {
        const answer = await calls.call(() =>
          translated(where, signal, () =>
            store.connection.run((client) => client.send(command, { abortSignal: signal }), "patient"),
          ),
        );
        isCompleted = true;
        return { ...sent, answeredEtag: plainEtag(answer.ETag) };
      } catch (error) {
        if (signal.aborted || !(error instanceof DestinationError)) throw error;
        if (!isRefusal(error.cause, "NoSuchUpload") && error.code !== "unavailable") throw error;
        const found = await lookAfterFailure(store, key, attempt, signal);
        if (found?.sizeBytes !== sizeBytes || (found.etag !== etag && found.uploadStamp !== stamp))
          throw lostAsUnavailable(error);
        isCompleted = true;
        return { ...sent, answeredEtag: found.etag };
      }
    },

    async end(signal) {
      if (session === undefined) return;
      // An archive that is there must not wait for its mark to go: it would count as not stored.
      const limit = signal.aborted
        ? AbortSignal.timeout(STOP_MS)
        : AbortSignal.any([AbortSignal.timeout(CLEAN_UP_MS), ...(isCompleted ? [signal] : [])]);
      limit.addEventListener("abort", () => creation.abort(limit.reason), { once: true });
      try {
        if (!isCompleted) {
          const begun = await orAborted(session, limit).catch(() => undefined);
          // The mark of an upload that may be there stays, so that the next run removes it.
          if (begun === undefined && mayHaveBegun) return;
          if (begun !== undefined) await abortForGood(target, begun.uploadId, wasCut, limit);
        }
        // An answer that was lost may have told of an upload that nobody knows now: the mark leads the next run to it.
        if (creations > 1) return;
        await store.small(attempt, limit, (abortSignal) => removeMark(store, mark, abortSignal));
      } catch {
        // The failure that led here is the one to report; the mark stays here, too.
      }
    },
  };
}

/** An upload that the store has lost can only be made anew, from its first byte. */
function lostAsUnavailable(error: unknown): unknown {
  if (!(error instanceof DestinationError && isRefusal(error.cause, "NoSuchUpload"))) return error;
  const { message, hint } = error;
  return new DestinationError("unavailable", message, { cause: error, ...(hint === undefined ? {} : { hint }) });
}

async function abortForGood(target: Target, uploadId: string, wasCut: boolean, signal: AbortSignal): Promise<void> {
  let wasThere = await abortUpload(target, uploadId, signal);
  for (const ms of wasCut ? ABORT_AGAIN_AFTER_MS : []) {
    if (!wasThere) return;
    await delay(ms, undefined, { signal });
    wasThere = await abortUpload(target, uploadId, signal);
  }
}

/** Gives whether there was one. */
async function abortUpload({ store, key }: Target, uploadId: string, signal: AbortSignal): Promise<boolean> {
  const command = new AbortMultipartUploadCommand({ Bucket: store.options.bucket, Key: key, UploadId: uploadId });
  const where = { store, attempt: `cannot abort an upload to ${store.label}` };
  try {
    await createAttempts({ signal, attempts: 3 }).call(() =>
      translated(where, signal, () => store.connection.run((client) => client.send(command, { abortSignal: signal }))),
    );
    return true;
  } catch (error) {
    if (error instanceof DestinationError && isRefusal(error.cause, "NoSuchUpload")) return false;
    throw error;
  }
}
