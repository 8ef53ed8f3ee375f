import { PutObjectCommand } from "@aws-sdk/client-s3";
import { crc32 } from "node:zlib";
import type { ArchiveSource } from "../../contracts/archive.ts";
import type { PutOptions, StoredObject } from "../../contracts/destination.ts";
import { orAborted } from "../../lib/abortable.ts";
import { DestinationError } from "../../lib/errors.ts";
import { type Attempts, createAttempts } from "../attempts.ts";
import { connectionFailure } from "../connection-errors.ts";
import { planParts } from "../part-plan.ts";
import { type Part, sendInParts } from "../send-parts.ts";
import { crc32Base64 } from "./crc32.ts";
import { isCloudflareR2, maxPartsOf } from "./endpoint.ts";
import { createMultipart } from "./multipart.ts";
import type { S3Options } from "./options.ts";
import { probe } from "./probe.ts";
import { sendInSlices } from "./sliced-body.ts";
import type { Store } from "./store.ts";
import { type Target, targetOf, translated, wrongSize } from "./target.ts";
import { lookAfterFailure, plainEtag, type Sent, verify } from "./verify.ts";

const MIB = 1024 * 1024;
const PART_BYTES = 8 * MIB;
const MAX_PART_BYTES = 5120 * MIB;
// Three of them keep a fast line busy; larger ones only cost memory, of which a panel gives a sidecar 350 MB.
const BUFFERS = 3;
const PROBE_MS = 10_000;

/** One delivery: a single request for what fits into one part, else a multipart upload that is aborted on every failure. */
export async function upload(
  store: Store,
  name: string,
  body: ArchiveSource,
  options: PutOptions,
): Promise<StoredObject> {
  const { signal } = options;
  const target = await targetOf(store, name, body, options);
  const { attempt } = target;
  signal.throwIfAborted();

  const multipart = createMultipart(target, options.owner);
  const { usesCrc32 } = store.options;
  let attempts: Attempts | undefined;
  let single: Sent | undefined;
  let crc = 0;
  let confirmedBytes = 0;
  try {
    const sentBytes = await sendInParts(body, planParts(body, limitsOf(store.options)), {
      signal,
      ...(usesCrc32 ? { onBytes: (bytes) => void (crc = crc32(bytes, crc)) } : {}),
      async send(part, partSignal) {
        attempts ??= createAttempts({
          signal: partSignal,
          // A large part on a slow line: nothing new is confirmed, but the store is alive.
          onProgressed: () => options.onProgress?.(confirmedBytes),
        });
        if (part.isOnly) single = await putWhole(target, body, part, attempts, partSignal);
        else await multipart.send(part, attempts, partSignal);
        confirmedBytes += part.bytes.byteLength;
        options.onProgress?.(confirmedBytes);
      },
    });
    const calls = attempts ?? createAttempts({ signal });
    const { sizeBytes } = await orAborted(body.finished, signal);
    if (sizeBytes !== sentBytes) throw wrongSize(attempt, sentBytes, sizeBytes);
    const sent = single ?? (await multipart.complete({ sizeBytes, crc32: crc }, calls, signal));
    return { name, sizeBytes, ...(await verify(store, sent, attempt, signal, calls)) };
  } finally {
    await multipart.end(signal);
  }
}

async function putWhole(
  target: Target,
  body: ArchiveSource,
  part: Part,
  calls: Attempts,
  signal: AbortSignal,
): Promise<Sent> {
  const { store, key, attempt, headers } = target;
  const { usesCrc32 } = store.options;
  const { sizeBytes, sha256 } = await orAborted(body.finished, signal);
  if (sizeBytes !== part.bytes.byteLength) throw wrongSize(attempt, part.bytes.byteLength, sizeBytes);
  const sendOnce = () =>
    store.connection.run((client) => {
      const command = new PutObjectCommand({
        ...headers,
        Key: key,
        Metadata: { sha256 },
        Body: part.bytes,
        ContentMD5: part.md5.toString("base64"),
        ...(usesCrc32 ? { ChecksumAlgorithm: "CRC32" } : {}),
      });
      sendInSlices(command, part.bytes, () => calls.progressed());
      return client.send(command, { abortSignal: signal });
    });
  const etag = part.md5.toString("hex");
  const sending = calls.call(async () => {
    try {
      return await translated(target, signal, sendOnce);
    } catch (error) {
      throw await explained(target, error, signal);
    }
  });
  const answer = await sending.catch(async (error: unknown) => {
    if (signal.aborted || !(error instanceof DestinationError) || error.code !== "unavailable") throw error;
    const found = await lookAfterFailure(store, key, attempt, signal);
    if (found?.etag !== etag || found.sizeBytes !== sizeBytes) throw error;
    return { ETag: etag };
  });
  const answeredEtag = plainEtag(answer.ETag);
  const crc = usesCrc32 ? crc32Base64(crc32(part.bytes)) : undefined;
  return { key, sizeBytes, etag, answeredEtag, crc32: crc, isMd5Store: answeredEtag === etag };
}

/** A store that refuses a large body may close the connection before its answer is read: a call without one tells why. */
async function explained({ store, attempt }: Target, error: unknown, signal: AbortSignal): Promise<unknown> {
  if (!(error instanceof DestinationError) || connectionFailure(error.cause)?.kind !== "cut") return error;
  try {
    await probe(store, attempt, AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)]));
  } catch (refusal) {
    const isRefusal =
      refusal instanceof DestinationError && (refusal.code === "denied" || refusal.code === "not-found");
    if (isRefusal) return refusal;
  }
  return error;
}

function limitsOf({ host, partBytes }: S3Options) {
  return {
    baseBytes: partBytes ?? PART_BYTES,
    maxParts: maxPartsOf(host),
    maxPartBytes: MAX_PART_BYTES,
    canGrow: partBytes === undefined && !isCloudflareR2(host),
    buffers: BUFFERS,
    hint: "see AWS_PART_SIZE",
  };
}
