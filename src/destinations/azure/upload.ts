import { createHash, randomBytes } from "node:crypto";
import type { ArchiveSource } from "../../contracts/archive.ts";
import type { PutOptions, StoredObject, Verified } from "../../contracts/destination.ts";
import { orAborted } from "../../lib/abortable.ts";
import { DestinationError } from "../../lib/errors.ts";
import { printablePath } from "../../lib/printable.ts";
import { type Attempts, createAttempts } from "../attempts.ts";
import { contentTypeOf } from "../content-type.ts";
import { planParts } from "../part-plan.ts";
import { type Part, sendInParts } from "../send-parts.ts";
import { statusOf, wordOf } from "./errors.ts";
import type { Store } from "./store.ts";

const MIB = 1024 * 1024;
const BLOCK_BYTES = 8 * MIB;
/** The service's limits of a block blob. */
const MAX_BLOCKS = 50_000;
const MAX_BLOCK_BYTES = 4_000 * MIB;
const BUFFERS = 5;
/** For looking whether the archive is there after all. */
const LOOK_MS = 10_000;

/**
 * One delivery: a single request for what fits into one block, else blocks that are nowhere to be seen until the list of
 * them is committed. The service checks each against its MD5, and drops what is never committed after a week.
 */
export async function upload(
  store: Store,
  name: string,
  body: ArchiveSource,
  options: PutOptions,
): Promise<StoredObject> {
  const { area, signal } = options;
  const blob = store.container.getBlockBlobClient(store.blobOf(area, name));
  const attempt = `cannot store ${printablePath(name)} in ${store.label}`;
  signal.throwIfAborted();

  const whole = createHash("md5");
  const uploadId = randomBytes(8).toString("hex");
  const ids: string[] = [];
  let attempts: Attempts | undefined;
  let confirmedBytes = 0;
  let isVouchedFor = true;
  const check = <T extends { readonly contentMD5?: Uint8Array }>(part: Part, answer: T): T => {
    if (answer.contentMD5 !== undefined && !Buffer.from(answer.contentMD5).equals(part.md5))
      throw otherContent(attempt);
    return answer;
  };
  const confirm = (part: Part, { contentMD5 }: { readonly contentMD5?: Uint8Array }): void => {
    isVouchedFor &&= contentMD5 !== undefined;
    confirmedBytes += part.bytes.byteLength;
    options.onProgress?.(confirmedBytes);
  };
  const headers = (md5: Buffer, sha256: string) => ({
    blobHTTPHeaders: { blobContentType: contentTypeOf(name), blobContentMD5: md5 },
    metadata: { sha256 },
    // Records are read again; the tier Archive would keep them from that.
    ...(store.options.tier === undefined || area === "record" ? {} : { tier: store.options.tier }),
  });

  const sendOnly = async (part: Part, calls: Attempts, partSignal: AbortSignal): Promise<void> => {
    const { sizeBytes, sha256 } = await orAborted(body.finished, partSignal);
    if (sizeBytes !== part.bytes.byteLength) throw wrongSize(attempt, part.bytes.byteLength, sizeBytes);
    const sending = calls.call(() =>
      store.call(attempt, partSignal, async () =>
        check(
          part,
          await blob.upload(part.bytes, part.bytes.byteLength, {
            ...headers(part.md5, sha256),
            abortSignal: partSignal,
            onProgress: () => calls.progressed(),
          }),
        ),
      ),
    );
    const answer = await sending.catch(async (error: unknown) => {
      if (!(await isThere(blob, { sizeBytes, md5: part.md5 }, error, partSignal))) throw error;
      return { contentMD5: part.md5 };
    });
    confirm(part, answer);
  };

  const sendBlock = async (part: Part, calls: Attempts, partSignal: AbortSignal): Promise<void> => {
    const id = blockId(uploadId, part.number);
    ids[part.number - 1] = id;
    const answer = await calls.call(() =>
      store.call(`${attempt}, block ${part.number}`, partSignal, async () =>
        check(
          part,
          await blob.stageBlock(id, part.bytes, part.bytes.byteLength, {
            transactionalContentMD5: part.md5,
            abortSignal: partSignal,
            onProgress: () => calls.progressed(),
          }),
        ),
      ),
    );
    confirm(part, answer);
  };

  const plan = planParts(body, {
    baseBytes: BLOCK_BYTES,
    maxParts: MAX_BLOCKS,
    maxPartBytes: MAX_BLOCK_BYTES,
    canGrow: true,
    buffers: BUFFERS,
    hint: "split the backup into several jobs",
  });
  const sentBytes = await sendInParts(body, plan, {
    signal,
    onBytes: (bytes) => whole.update(bytes),
    send: (part, partSignal) => {
      attempts ??= createAttempts({
        signal: partSignal,
        // A large block on a slow line: nothing new is confirmed, but the store is alive.
        onProgressed: () => options.onProgress?.(confirmedBytes),
      });
      return part.isOnly ? sendOnly(part, attempts, partSignal) : sendBlock(part, attempts, partSignal);
    },
  });
  const calls = attempts ?? createAttempts({ signal });
  const md5 = whole.digest();
  if (ids.length > 0) {
    const { sizeBytes, sha256 } = await orAborted(body.finished, signal);
    if (sizeBytes !== sentBytes) throw wrongSize(attempt, sentBytes, sizeBytes);
    const commit = (): Promise<unknown> =>
      store.call(`${attempt}, committing its blocks`, signal, () =>
        blob.commitBlockList(ids, { ...headers(md5, sha256), abortSignal: signal }),
      );
    try {
      // Committing the same list again changes nothing, so an answer that got lost does no harm.
      const lost = await calls.call(() => commit().then(() => undefined, lostBlocks));
      if (lost !== undefined) throw lost;
    } catch (error) {
      // Where it did, what lies there decides.
      if (!(await isThere(blob, { sizeBytes, md5 }, error, signal))) throw error;
    }
  }
  const proof = await verify(store, blob, { sizeBytes: sentBytes, md5, attempt, isVouchedFor }, signal, calls);
  return { name, sizeBytes: sentBytes, ...proof };
}

/** All ids of a blob must be of one length, those of an upload that died included. */
function blockId(uploadId: string, number: number): string {
  return Buffer.from(`lb1-${uploadId}-${String(number).padStart(6, "0")}`).toString("base64");
}

/** Blocks that are gone don't come back with another try of the last call: only the whole upload is worth one. */
function lostBlocks(error: unknown): DestinationError {
  if (error instanceof DestinationError && wordOf(error.cause) === "InvalidBlockList") return error;
  throw error;
}

type Blob = ReturnType<Store["container"]["getBlockBlobClient"]>;

/** Whether a blob of this content is there although its last call has failed. */
async function isThere(
  blob: Blob,
  { sizeBytes, md5 }: Pick<Expected, "sizeBytes" | "md5">,
  error: unknown,
  signal: AbortSignal,
): Promise<boolean> {
  if (signal.aborted || !(error instanceof DestinationError) || error.code !== "unavailable") return false;
  const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)]);
  const found = await blob.getProperties({ abortSignal }).catch(() => undefined);
  return found?.contentLength === sizeBytes && found.contentMD5 !== undefined && md5.equals(found.contentMD5);
}

interface Expected {
  readonly sizeBytes: number;
  readonly md5: Buffer;
  readonly attempt: string;
  /** The service answered with the MD5 of every block. */
  readonly isVouchedFor: boolean;
}

/**
 * What is wrong is removed before this rejects. A signature that may not read is believed what it was answered; so is a
 * service that vouched for every block, and then can't be asked: also because there is no time left for it.
 */
async function verify(
  store: Store,
  blob: Blob,
  { sizeBytes, md5, attempt, isVouchedFor }: Expected,
  signal: AbortSignal,
  calls: Attempts,
): Promise<{ readonly storedAt: number; readonly verified?: Verified }> {
  const found = await store
    .small(`${attempt}, looking at it`, signal, (abortSignal) => blob.getProperties({ abortSignal }), calls)
    .catch((error: unknown) => {
      const isDenied = error instanceof DestinationError && error.code === "denied" && statusOf(error.cause) === 403;
      const isUnasked = signal.aborted || (error instanceof DestinationError && error.code !== "not-found");
      if (!isDenied && !(isVouchedFor && isUnasked)) throw error;
      return undefined;
    });
  if (found === undefined) return { storedAt: Date.now(), ...(isVouchedFor ? { verified: "md5" } : {}) };
  const isSame = found.contentMD5 !== undefined && md5.equals(found.contentMD5);
  const isOther = found.contentMD5 !== undefined && !isSame;
  // A proxy on the way may drop the size.
  const hasItsSize = found.contentLength === sizeBytes || (found.contentLength === undefined && isSame);
  if (hasItsSize && !isOther)
    return {
      storedAt: found.lastModified?.getTime() ?? Date.now(),
      // The service checked every block against its MD5, and has that of the whole.
      verified: found.contentMD5 === undefined ? "size" : "md5",
    };
  // Another writer's blob carries another MD5 and is none of ours.
  if (!isOther) await blob.deleteIfExists({ abortSignal: signal }).catch(() => undefined);
  const what = isOther
    ? "another content than was sent"
    : `${found.contentLength ?? "no"} bytes instead of ${sizeBytes}`;
  throw new DestinationError("unavailable", `${attempt}: the service holds ${what}`, {
    hint: isOther
      ? "something else writes the same AZURE_STORAGE_PATH and BACKUP_FILENAME"
      : "check the service at AZURE_STORAGE_ENDPOINT",
  });
}

function otherContent(attempt: string): DestinationError {
  return new DestinationError("unavailable", `${attempt}: the service received another content than was sent`, {
    hint: "look at proxies and memory between here and AZURE_STORAGE_ENDPOINT",
  });
}

function wrongSize(attempt: string, sentBytes: number, expectedBytes: number): DestinationError {
  return new DestinationError("unavailable", `${attempt}: ${sentBytes} bytes were read instead of ${expectedBytes}`);
}
