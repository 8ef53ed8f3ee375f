import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { createHash } from "node:crypto";
import type { ArchiveSource } from "../../contracts/archive.ts";
import type { PutOptions, StoredObject } from "../../contracts/destination.ts";
import { orAborted } from "../../lib/abortable.ts";
import { DestinationError } from "../../lib/errors.ts";
import { printablePath } from "../../lib/printable.ts";
import { type Attempts, createAttempts } from "../attempts.ts";
import { contentTypeOf } from "../content-type.ts";
import { planParts } from "../part-plan.ts";
import { type Part, sendInParts } from "../send-parts.ts";
import { isCloudflareR2, maxPartsOf } from "./endpoint.ts";
import { isRefusal } from "./errors.ts";
import { sendInSlices } from "./sliced-body.ts";
import type { Store } from "./store.ts";
import { markKey, removeMark, writeMark } from "./upload-mark.ts";
import { look, plainEtag, type Sent, verify } from "./verify.ts";

const MIB = 1024 * 1024;
const PART_BYTES = 16 * MIB;
const MAX_PART_BYTES = 5120 * MIB;
const BUFFERS = 4;
/** What a run that was told to stop has for cleaning up, and what any other failure has. */
const STOP_MS = 800;
const CLEAN_UP_MS = 20_000;

interface Session {
  readonly uploadId: string;
  readonly parts: { PartNumber: number; ETag: string; md5: Buffer; isMd5: boolean }[];
}

/** One delivery: a single request for what fits into one part, else a multipart upload that is aborted on every failure. */
export async function upload(
  store: Store,
  name: string,
  body: ArchiveSource,
  options: PutOptions,
): Promise<StoredObject> {
  const { area, owner } = options;
  const { bucket } = store.options;
  const key = store.keyOf(area, name);
  const attempt = `cannot store ${printablePath(name)} in ${store.label}`;
  const common = await headersFor(store, name, body, options);
  const mark = markKey(store, key, owner);
  options.signal.throwIfAborted();

  let attempts: Attempts | undefined;
  let session: Promise<Session> | undefined;
  let single: Sent | undefined;
  let confirmedBytes = 0;
  const confirm = (bytes: number): void => options.onProgress?.((confirmedBytes += bytes));

  const begin = async (calls: Attempts, signal: AbortSignal): Promise<Session> => {
    await writeMark(store, mark, signal);
    const command = new CreateMultipartUploadCommand({ Bucket: bucket, Key: key, ...common });
    const created = await store.small(
      attempt,
      signal,
      (abortSignal) => store.connection.run((client) => client.send(command, { abortSignal })),
      calls,
    );
    if (created.UploadId === undefined || created.UploadId === "") throw noS3Answer(attempt);
    return { uploadId: created.UploadId, parts: [] };
  };

  const sendOnly = async (part: Part, calls: Attempts, signal: AbortSignal): Promise<void> => {
    const { sizeBytes, sha256 } = await orAborted(body.finished, signal);
    if (sizeBytes !== part.bytes.byteLength) throw wrongSize(attempt, part.bytes.byteLength, sizeBytes);
    const answer = await calls.call(() =>
      translated(store, attempt, signal, () =>
        store.connection.run((client) => {
          const command = new PutObjectCommand({
            Bucket: bucket,
            Key: key,
            ...common,
            Metadata: { sha256 },
            Body: part.bytes,
            ContentMD5: part.md5.toString("base64"),
          });
          sendInSlices(command, part.bytes, () => calls.progressed());
          return client.send(command, { abortSignal: signal });
        }),
      ),
    );
    const etag = part.md5.toString("hex");
    const answeredEtag = plainEtag(answer.ETag);
    single = { key, sizeBytes, etag, answeredEtag, isMd5Store: answeredEtag === etag };
    confirm(sizeBytes);
  };

  const sendPart = async (part: Part, calls: Attempts, signal: AbortSignal): Promise<void> => {
    session ??= begin(calls, signal);
    const { uploadId, parts } = await session;
    const answer = await calls.call(() =>
      translated(store, `${attempt}, part ${part.number}`, signal, () =>
        store.connection.run((client) => {
          const command = new UploadPartCommand({
            Bucket: bucket,
            Key: key,
            UploadId: uploadId,
            PartNumber: part.number,
            Body: part.bytes,
            ContentMD5: part.md5.toString("base64"),
          });
          sendInSlices(command, part.bytes, () => calls.progressed());
          return client.send(command, { abortSignal: signal });
        }),
      ),
    );
    if (answer.ETag === undefined) throw noS3Answer(attempt);
    const isMd5 = plainEtag(answer.ETag) === part.md5.toString("hex");
    parts.push({ PartNumber: part.number, ETag: answer.ETag, md5: part.md5, isMd5 });
    confirm(part.bytes.byteLength);
  };

  let completed = false;
  try {
    const plan = planParts(body, {
      baseBytes: store.options.partBytes ?? PART_BYTES,
      maxParts: maxPartsOf(store.options.host),
      maxPartBytes: MAX_PART_BYTES,
      canGrow: store.options.partBytes === undefined && !isCloudflareR2(store.options.host),
      buffers: BUFFERS,
      hint: "AWS_PART_SIZE",
    });
    const sentBytes = await sendInParts(body, plan, {
      signal: options.signal,
      send: (part, signal) => {
        attempts ??= createAttempts({ signal });
        return part.isOnly ? sendOnly(part, attempts, signal) : sendPart(part, attempts, signal);
      },
    });
    attempts ??= createAttempts({ signal: options.signal });
    let sent = single;
    if (session !== undefined) {
      const { sizeBytes } = await orAborted(body.finished, options.signal);
      if (sizeBytes !== sentBytes) throw wrongSize(attempt, sentBytes, sizeBytes);
      sent = await complete(store, key, await session, sizeBytes, { attempt, attempts, signal: options.signal });
    }
    completed = true;
    if (sent === undefined) throw noS3Answer(attempt);
    const proof = await verify(store, sent, attempt, options.signal, attempts);
    return { name, sizeBytes: sentBytes, ...proof };
  } finally {
    if (session !== undefined) await cleanUp(store, key, mark, session, completed, options.signal);
  }
}

interface Completing {
  readonly attempt: string;
  readonly attempts: Attempts;
  readonly signal: AbortSignal;
}

/** The moment at which the archive appears. An answer that got lost is no failure: what lies there then decides. */
async function complete(
  store: Store,
  key: string,
  session: Session,
  sizeBytes: number,
  { attempt, attempts, signal }: Completing,
): Promise<Sent> {
  const parts = session.parts.toSorted((a, b) => a.PartNumber - b.PartNumber);
  const sums = createHash("md5");
  for (const part of parts) sums.update(part.md5);
  const etag = `${sums.digest("hex")}-${parts.length}`;
  const isMd5Store = parts.every((part) => part.isMd5);
  const command = new CompleteMultipartUploadCommand({
    Bucket: store.options.bucket,
    Key: key,
    UploadId: session.uploadId,
    MultipartUpload: { Parts: parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag })) },
  });
  try {
    const answer = await attempts.call(() =>
      translated(store, `${attempt}, putting its parts together`, signal, () =>
        store.connection.run((client) => client.send(command, { abortSignal: signal }), "patient"),
      ),
    );
    return { key, sizeBytes, etag, answeredEtag: plainEtag(answer.ETag), isMd5Store };
  } catch (error) {
    if (signal.aborted || !(error instanceof DestinationError)) throw error;
    const isGone = isRefusal(error.cause, "NoSuchUpload");
    if (!isGone && error.code !== "unavailable") throw error;
    const found = await look(store, key, attempt, signal, attempts).catch(() => undefined);
    if (found?.etag !== etag || found.sizeBytes !== sizeBytes) throw error;
    return { key, sizeBytes, etag, answeredEtag: etag, isMd5Store };
  }
}

/** Never rejects: what can't be cleaned up now keeps its mark, and the next run removes it. */
async function cleanUp(
  store: Store,
  key: string,
  mark: string,
  session: Promise<Session>,
  completed: boolean,
  signal: AbortSignal,
): Promise<void> {
  const limit = AbortSignal.timeout(signal.aborted ? STOP_MS : CLEAN_UP_MS);
  try {
    if (!completed) {
      const { uploadId } = await session;
      const command = new AbortMultipartUploadCommand({ Bucket: store.options.bucket, Key: key, UploadId: uploadId });
      await createAttempts({ signal: limit, attempts: 3 }).call(() =>
        translated(store, "cannot abort", limit, () =>
          store.connection.run((client) => client.send(command, { abortSignal: limit })),
        ).catch((error: unknown) => {
          if (
            !(error instanceof DestinationError && error.code === "not-found") &&
            !isRefusal((error as Error).cause, "NoSuchUpload")
          )
            throw error;
        }),
      );
    }
    await removeMark(store, mark, limit);
  } catch {
    // The failure that led here is the one to report.
  }
}

/** What both kinds of upload say about the object. */
async function headersFor(store: Store, name: string, body: ArchiveSource, { area }: PutOptions) {
  const { storageClass, sse, sseKmsKeyId } = store.options;
  const known = await Promise.race([body.finished.catch(() => undefined), Promise.resolve(undefined)]);
  return {
    ContentType: contentTypeOf(name),
    ...(known === undefined ? {} : { Metadata: { sha256: known.sha256 } }),
    // Records are read again; a class for cold storage would keep them from that.
    ...(storageClass === undefined || area === "record" ? {} : { StorageClass: storageClass as "STANDARD" }),
    ...(sse === undefined ? {} : { ServerSideEncryption: sse as "AES256" }),
    ...(sseKmsKeyId === undefined ? {} : { SSEKMSKeyId: sseKmsKeyId }),
  };
}

async function translated<T>(store: Store, attempt: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw store.translate(error, attempt);
  }
}

function wrongSize(attempt: string, sentBytes: number, expectedBytes: number): DestinationError {
  return new DestinationError("unavailable", `${attempt}: ${sentBytes} bytes were read instead of ${expectedBytes}`);
}

function noS3Answer(attempt: string): DestinationError {
  return new DestinationError("unavailable", `${attempt}: the answer is not S3's`, {
    hint: "check that AWS_ENDPOINT speaks S3",
  });
}
