import { crc32, inflateRawSync, zstdDecompressSync } from "node:zlib";
import { systemCode } from "../../lib/errors.ts";

/** Something that can't be read. */
export interface DamagedPlace {
  readonly what: "a block" | "a header";
  /** In the archive for a block, in a stretch of tar data for a header. */
  readonly offset: number;
}

/** How our gzip members begin (no flags, no time), and how Zstandard frames do. */
const MEMBER = Buffer.from("1f8b080000000000", "hex");
const FRAME = Buffer.from("28b52ffd", "hex");

/** More than any block of ours takes, stored or not. */
const LARGEST_BLOCK_BYTES = 16 * 1024 * 1024;
/** How much of an archive without compression comes at once: whole tar records. */
const PLAIN_PIECE_BYTES = 1024 * 1024;

/**
 * The tar data of one independent block after the other; `damage` stands for one or more that can't be read. An archive
 * without compression comes in pieces of whole records. Nothing comes of what does not begin as ours do.
 */
export async function* salvagePieces(
  bytes: AsyncIterable<Uint8Array>,
  { signal, onDamage }: { readonly signal: AbortSignal; onDamage(place: DamagedPlace): void },
): AsyncGenerator<Buffer | "damage", void, undefined> {
  const window = createWindow(bytes, signal);
  try {
    yield* piecesOf(window, onDamage);
  } finally {
    await window.close();
  }
}

async function* piecesOf(
  window: Window,
  onDamage: (place: DamagedPlace) => void,
): AsyncGenerator<Buffer | "damage", void, undefined> {
  await window.fill(MEMBER.length);
  const magic = [MEMBER, FRAME].find((one) => startsWith(window.bytes(), one));
  if (magic === undefined && (await isPlain(window))) {
    for (;;) {
      await window.fill(PLAIN_PIECE_BYTES);
      const piece = Buffer.from(window.bytes().subarray(0, PLAIN_PIECE_BYTES));
      if (piece.length === 0) return;
      window.drop(piece.length);
      yield piece;
    }
  }
  if (magic === undefined) return;
  let wasDamage = false;
  for (;;) {
    const block = await nextBlock(window, magic);
    if (block === undefined) return;
    if (block.raw !== undefined) yield block.raw;
    else {
      onDamage({ what: "a block", offset: block.offset });
      if (!wasDamage) yield "damage";
    }
    wasDamage = block.raw === undefined;
  }
}

async function isPlain(window: Window): Promise<boolean> {
  await window.fill(512);
  const head = window.bytes();
  return head.length >= 512 && head.toString("latin1", 257, 262) === "ustar";
}

/** The block at the window's beginning. A member ends where another one begins; but content may look like a beginning. */
async function nextBlock(
  window: Window,
  magic: Buffer,
): Promise<{ readonly offset: number; readonly raw: Buffer | undefined } | undefined> {
  const { offset } = window;
  await window.fill(MEMBER.length);
  if (window.bytes().length === 0) return undefined;
  const firstEnd = await window.find(magic, 1, LARGEST_BLOCK_BYTES);
  for (let end = firstEnd; startsWith(window.bytes(), magic);) {
    const block = decompressed(window.bytes().subarray(0, end));
    if (typeof block !== "string") {
      window.drop(block.storedBytes);
      return { offset, raw: block.raw };
    }
    if (block === "damaged" || end >= LARGEST_BLOCK_BYTES || end === window.bytes().length) break;
    end = await window.find(magic, end + 1, LARGEST_BLOCK_BYTES);
  }
  window.drop(firstEnd);
  return { offset, raw: undefined };
}

function startsWith(bytes: Buffer, magic: Buffer): boolean {
  return bytes.subarray(0, magic.length).equals(magic);
}

interface Block {
  readonly raw: Buffer;
  readonly storedBytes: number;
}

/** The first member or frame. */
function decompressed(stored: Buffer): Block | "damaged" | "cut off" {
  try {
    const block = stored[0] === MEMBER[0] ? gzipMember(stored) : zstdFrame(stored);
    // A file's own compressed content is hardly ever whole records.
    return block.raw.length > 0 && block.raw.length % 512 === 0 ? block : "damaged";
  } catch (thrown) {
    return thrown instanceof RangeError || systemCode(thrown) === "Z_BUF_ERROR" ? "cut off" : "damaged";
  }
}

/** RFC 1952. The header is checked already; whatever follows the member is left alone, which `gunzip` would not do. */
function gzipMember(stored: Buffer): Block {
  const options = { maxOutputLength: LARGEST_BLOCK_BYTES, info: true };
  const done = inflateRawSync(stored.subarray(GZIP_HEADER_BYTES), options) as unknown as Inflated;
  const end = GZIP_HEADER_BYTES + done.engine.bytesWritten;
  if (stored.readUInt32LE(end) !== crc32(done.buffer) || stored.readUInt32LE(end + 4) !== done.buffer.length) {
    throw new Error("the checksum is wrong");
  }
  return { raw: done.buffer, storedBytes: end + 8 };
}

const GZIP_HEADER_BYTES = 10;

/** What `info: true` gives. */
interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

function zstdFrame(stored: Buffer): Block {
  const storedBytes = zstdFrameBytes(stored);
  const raw = zstdDecompressSync(stored.subarray(0, storedBytes), { maxOutputLength: LARGEST_BLOCK_BYTES });
  return { raw, storedBytes };
}

/** How long the Zstandard frame at the beginning is (RFC 8878, 3.1.1). Throws a `RangeError` where it is not there as a whole. */
function zstdFrameBytes(bytes: Buffer): number {
  const descriptor = bytes.readUInt8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  let at = 5 + (isSingleSegment ? 0 : 1) + dictionaryBytes + contentSizeBytes;
  for (let isLast = false; !isLast;) {
    const header = bytes.readUIntLE(at, 3);
    isLast = (header & 1) !== 0;
    at += 3 + (((header >> 1) & 3) === 1 ? 1 : header >> 3);
  }
  at += (descriptor & 4) === 0 ? 0 : 4;
  if (at > bytes.length) throw new RangeError("the frame is cut off");
  return at;
}

/** The bytes that are being looked at. */
interface Window {
  /** Of its beginning, in the archive. */
  readonly offset: number;
  bytes(): Buffer;
  /** Takes more until there are so many, or no more come. */
  fill(bytes: number): Promise<void>;
  drop(bytes: number): void;
  close(): Promise<void>;
  /** Where these bytes are, from a place on; else where all end, or `most`. */
  find(magic: Buffer, from: number, most: number): Promise<number>;
}

function createWindow(source: AsyncIterable<Uint8Array>, signal: AbortSignal): Window {
  const iterator = source[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  let offset = 0;
  let isAtEnd = false;
  const fill = async (bytes: number): Promise<void> => {
    const pieces = [held];
    let length = held.length;
    while (length < bytes && !isAtEnd) {
      signal.throwIfAborted();
      const next = await iterator.next();
      if (next.done === true) isAtEnd = true;
      else {
        pieces.push(Buffer.from(next.value));
        length += next.value.length;
      }
    }
    if (pieces.length > 1) held = Buffer.concat(pieces);
  };
  return {
    get offset() {
      return offset;
    },
    bytes: () => held,
    fill,
    drop(bytes) {
      held = held.subarray(bytes);
      offset += bytes;
    },
    async close() {
      await iterator.return?.();
    },
    async find(magic, from, most) {
      for (let searched = from; ;) {
        const place = held.indexOf(magic, searched);
        if (place !== -1) return Math.min(place, most);
        if (isAtEnd || held.length >= most) return Math.min(held.length, most);
        searched = Math.max(from, held.length - MEMBER.length);
        await fill(held.length + 1024 * 1024);
      }
    },
  };
}
