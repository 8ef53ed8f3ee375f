import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import type { Compression } from "../../contracts/archive.ts";
import { messageOf, systemCode, UserError } from "../../lib/errors.ts";
import { faultsOf, type ArchiveFaults } from "./read-errors.ts";
import { isTarHeader } from "./read-headers.ts";

export interface DecompressOptions {
  /** For messages. */
  readonly archiveName: string;
  readonly signal: AbortSignal;
  /** From here on the decoder gets so little at a time that nothing in front of a surplus is lost (`SurplusInArchive`). */
  readonly carefulFromByte?: number | undefined;
  /** Bytes of the archive, as it is stored, taken so far. */
  onBytesRead?(bytesRead: number): void;
}

/** Enough to recognise everything, a tar header included. */
const HEAD_BYTES = 512;
/** Small steps: what a decoder has made in the very step that meets a fault is lost. */
const INPUT_CHUNK_BYTES = 64 * 1024;
/** A gzip member ends with eight bytes of checksum and size: with the first byte behind them come at most seven of these. */
const CAREFUL_CHUNK_BYTES = 8;
/** A full buffer after any output: a stream that fails drops what nobody has taken yet. */
const ENGINE_OPTIONS = { chunkSize: 256 * 1024, highWaterMark: 1 };

/**
 * The tar stream of an archive, whose compression is told by its first bytes (never by its name): gzip of one or many
 * members, zstd of one or many frames, or none.
 * @throws UserError (while iterating) for what is empty, encrypted, no archive, truncated, damaged, or followed by anything but zeros
 */
export async function* decompressed(
  bytes: AsyncIterable<Uint8Array>,
  options: DecompressOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const faults = faultsOf(options.archiveName);
  const input = createInput(bytes, options);
  try {
    const head = await input.head(HEAD_BYTES);
    const compression = compressionOf(head, faults);
    if (compression === "none") {
      yield* input.chunks();
      return;
    }
    const label = compression === "gz" ? "gzip" : "zstd";
    const engine = compression === "gz" ? createGunzip(ENGINE_OPTIONS) : createZstdDecompress(ENGINE_OPTIONS);
    yield* throughEngine(input, engine, { label, faults, signal: options.signal });
  } finally {
    await input.close();
  }
}

interface EngineContext {
  readonly label: string;
  readonly faults: ArchiveFaults;
  readonly signal: AbortSignal;
}

async function* throughEngine(
  input: Input,
  engine: Transform & { readonly bytesWritten: number },
  { label, faults, signal }: EngineContext,
): AsyncGenerator<Buffer, void, undefined> {
  const feeding = pipeline(Readable.from(input.chunks(), { objectMode: false, highWaterMark: 1 }), engine);
  // The engine's own iteration reports the same failure; this one must not become an unhandled rejection meanwhile.
  feeding.catch(() => undefined);
  try {
    for await (const chunk of engine) yield chunk as Buffer;
  } catch (cause) {
    signal.throwIfAborted();
    const where = `around byte ${engine.bytesWritten}`;
    const code = systemCode(cause);
    if (code === "Z_BUF_ERROR") throw faults.truncated(`inside its ${label} data, after ${input.bytesRead()} bytes`);
    if (code === "ZSTD_error_frameParameter_windowTooLarge") {
      const what = "was compressed with a window of more than 128 MB";
      throw faults.notAnArchive(what, "decompress it first with zstd -d --long=31, and restore the .tar");
    }
    // Said of all members but the first, whose beginning was looked at: those before are whole.
    if (messageOf(cause) === "incorrect header check") {
      throw faults.surplus(`something else follows its gzip data ${where}`, engine.bytesWritten);
    }
    if (code?.startsWith("Z_") || code?.startsWith("ZSTD_")) {
      throw faults.damaged(`${label} data ${where}: ${messageOf(cause)}`, cause);
    }
    throw cause;
  }
  await input.drain();
  // Both decoders stop without a word at what they don't know. Padding with zeros is customary.
  const surplus = input.lastNonZeroOffset() - engine.bytesWritten + 1;
  if (surplus > 0) {
    const at = engine.bytesWritten;
    throw faults.surplus(`something else follows its ${label} data at byte ${at}`, at);
  }
}

/** The stored bytes, counted, and given up as soon as the signal aborts. */
interface Input {
  head(bytes: number): Promise<Buffer>;
  chunks(): AsyncGenerator<Buffer, void, undefined>;
  drain(): Promise<void>;
  bytesRead(): number;
  /** -1 while there is none. */
  lastNonZeroOffset(): number;
  close(): Promise<void>;
}

function createInput(bytes: AsyncIterable<Uint8Array>, options: DecompressOptions): Input {
  const { archiveName, signal } = options;
  const iterator = bytes[Symbol.asyncIterator]();
  let pending: Buffer[] = [];
  let bytesRead = 0;
  let lastNonZero = -1;
  let ended = false;

  const pull = async (): Promise<Buffer | undefined> => {
    const result = await nextUnlessAborted(iterator, signal).catch((cause: unknown) => {
      ended = true;
      signal.throwIfAborted();
      throw cause instanceof UserError
        ? cause
        : new UserError(`cannot read ${archiveName}: ${messageOf(cause)}`, { cause });
    });
    if (result.done === true) {
      ended = true;
      return undefined;
    }
    const { buffer, byteOffset, byteLength } = result.value;
    const chunk = Buffer.from(buffer, byteOffset, byteLength);
    let at = chunk.length - 1;
    while (at >= 0 && chunk[at] === 0) at -= 1;
    if (at >= 0) lastNonZero = bytesRead + at;
    bytesRead += chunk.length;
    options.onBytesRead?.(bytesRead);
    return chunk;
  };

  return {
    async head(wanted) {
      let length = 0;
      while (length < wanted) {
        const chunk = await pull();
        if (chunk === undefined) break;
        pending.push(chunk);
        length += chunk.length;
      }
      const head = Buffer.concat(pending);
      pending = [head];
      return head.subarray(0, wanted);
    },
    async *chunks() {
      let offset = 0;
      const cut = (chunk: Buffer): Generator<Buffer, void, undefined> => {
        offset += chunk.length;
        return split(chunk, (options.carefulFromByte ?? Infinity) - offset + chunk.length);
      };
      for (const chunk of pending) yield* cut(chunk);
      pending = [];
      while (!ended) {
        const chunk = await pull();
        if (chunk !== undefined) yield* cut(chunk);
      }
    },
    async drain() {
      while (!ended) await pull();
    },
    bytesRead: () => bytesRead,
    lastNonZeroOffset: () => lastNonZero,
    async close() {
      if (ended && !signal.aborted) return;
      ended = true;
      const closing = iterator.return?.();
      // A source that hangs would hold up the one who aborted because of that.
      if (signal.aborted) closing?.catch(() => undefined);
      else await closing;
    },
  };
}

/** @param careful where the careful stretch begins, from the chunk's beginning; it may be anywhere */
function* split(chunk: Buffer, careful: number): Generator<Buffer, void, undefined> {
  let at = 0;
  while (at < chunk.length) {
    const isCareful = at >= careful && at < careful + 2 * INPUT_CHUNK_BYTES;
    const end = isCareful ? at + CAREFUL_CHUNK_BYTES : at + INPUT_CHUNK_BYTES;
    const cut = at < careful ? Math.min(end, careful) : end;
    yield chunk.subarray(at, cut);
    at = cut;
  }
}

function nextUnlessAborted<T>(iterator: AsyncIterator<T>, signal: AbortSignal): Promise<IteratorResult<T>> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
    iterator
      .next()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", onAbort));
  });
}

function compressionOf(head: Buffer, faults: ArchiveFaults): Compression {
  if (head.length === 0) throw faults.notAnArchive("is empty", "restore another archive");
  if (isTarHeader(head) || isZero(head)) return "none";
  if (head[0] === 0x1f && head[1] === 0x8b) return "gz";
  const magic = head.length >= 4 ? head.readUInt32LE(0) : 0;
  // 0x184d2a50 to 0x184d2a5f begin a frame that decoders skip.
  if (magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50) return "zst";
  if (startsWith(head, "age-encryption.org/") || startsWith(head, "-----BEGIN AGE ENCRYPTED FILE-----")) {
    throw faults.notAnArchive("is encrypted", "decrypt it first with age");
  }
  if (startsWith(head, "-----BEGIN PGP MESSAGE-----") || isPgpPacket(head)) {
    throw faults.notAnArchive("is encrypted", "decrypt it first with gpg");
  }
  throw faults.notAnArchive(
    "is not a tar, tar.gz or tar.zst archive",
    "check that this is the file that was delivered",
  );
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

function startsWith(head: Buffer, text: string): boolean {
  return head.subarray(0, text.length).toString("latin1") === text;
}

/** RFC 4880, 4.2: an encrypted message begins with a session key packet (tags 1 and 3), in the old or the new format. */
function isPgpPacket(head: Buffer): boolean {
  const first = head[0] ?? 0;
  if ((first & 0x80) === 0) return false;
  const tag = (first & 0x40) === 0 ? (first >> 2) & 0x0f : first & 0x3f;
  return tag === 1 || tag === 3;
}
