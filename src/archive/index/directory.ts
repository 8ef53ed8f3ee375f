import { hash } from "node:crypto";
import { crc32, zstdDecompressSync } from "node:zlib";
import { parseFacts } from "./facts.ts";
import { IndexFault, MAGIC, MOST, mostStoredBytes, TRAILER, TRAILER_BYTES, type IndexFacts } from "./format.ts";

/** Gives exactly these bytes of one object; fewer only where it ends. Rejects where it can't be read. */
export type RangeReader = (offset: number, length: number) => Promise<Buffer>;

export interface DirectoryChunk {
  readonly offset: number;
  readonly storedBytes: number;
  readonly rawBytes: number;
  readonly count: number;
  readonly sha256: Buffer;
}

export interface EntryChunk extends DirectoryChunk {
  /** The beginning of its first path. */
  readonly key: Buffer;
}

export interface BlockChunk extends DirectoryChunk {
  readonly firstBlock: number;
  readonly firstRawByte: number;
  readonly firstStoredByte: number;
}

export interface Directory {
  readonly facts: IndexFacts;
  readonly entryChunks: readonly EntryChunk[];
  readonly blockChunks: readonly BlockChunk[];
}

/** Trailer and directory come in one request where they are small. */
const FIRST_READ_BYTES = 64 * 1024;
const RECORD_BYTES = 52;

/** @throws IndexFault for what is no whole index of a known version */
export async function readDirectory(read: RangeReader, indexBytes: number): Promise<Directory> {
  if (indexBytes < MAGIC.length + TRAILER_BYTES) throw new IndexFault("is too short to be one");
  const tailBytes = Math.min(indexBytes, FIRST_READ_BYTES);
  const tail = await exactly(read, indexBytes - tailBytes, tailBytes);
  const trailer = tail.subarray(-TRAILER_BYTES);
  const magic = trailer.subarray(TRAILER.magic);
  if (!magic.subarray(0, -1).equals(MAGIC.subarray(0, -1))) throw new IndexFault("has no trailer");
  if (!magic.equals(MAGIC)) throw new IndexFault(`is of version ${magic.at(-1) ?? 0}, which is not known here`);
  if (crc32(trailer.subarray(0, TRAILER.crc32)) !== trailer.readUInt32LE(TRAILER.crc32)) {
    throw new IndexFault("has a damaged trailer");
  }
  if (safe(trailer, TRAILER.indexBytes) !== indexBytes) throw new IndexFault("is not of the size that it states");
  const offset = safe(trailer, TRAILER.directoryOffset);
  const storedBytes = trailer.readUInt32LE(TRAILER.directoryStoredBytes);
  const rawBytes = trailer.readUInt32LE(TRAILER.directoryRawBytes);
  if (rawBytes > MOST.directoryBytes || storedBytes > mostStoredBytes(rawBytes)) {
    throw new IndexFault("has a directory that is too large");
  }
  if (offset < MAGIC.length || offset + storedBytes + TRAILER_BYTES !== indexBytes) {
    throw new IndexFault("has its directory in a place that can't be");
  }
  const stored =
    storedBytes + TRAILER_BYTES <= tail.length
      ? tail.subarray(-(storedBytes + TRAILER_BYTES), -TRAILER_BYTES)
      : await exactly(read, offset, storedBytes);
  const sha256 = trailer.subarray(TRAILER.directorySha256, TRAILER.directorySha256 + 32);
  return parseDirectory(unpack(stored, rawBytes, sha256, "directory"), offset);
}

/** Reads, proves and decompresses one chunk. @throws IndexFault */
export async function readChunk(read: RangeReader, chunk: DirectoryChunk): Promise<Buffer> {
  return unpack(await exactly(read, chunk.offset, chunk.storedBytes), chunk.rawBytes, chunk.sha256, "chunk");
}

function parseDirectory(raw: Buffer, endOfChunks: number): Directory {
  let at = 0;
  const take = (bytes: number): Buffer => {
    if (at + bytes > raw.length) throw new IndexFault("has a directory that is too short");
    at += bytes;
    return raw.subarray(at - bytes, at);
  };
  let next = MAGIC.length;
  const takeChunk = (): DirectoryChunk => {
    const record = take(RECORD_BYTES);
    const chunk = {
      offset: safe(record, 0),
      storedBytes: record.readUInt32LE(8),
      rawBytes: record.readUInt32LE(12),
      count: record.readUInt32LE(16),
      sha256: record.subarray(20),
    };
    if (chunk.rawBytes > MOST.chunkBytes || chunk.storedBytes > mostStoredBytes(chunk.rawBytes)) {
      throw new IndexFault("has a chunk that is too large");
    }
    if (chunk.offset !== next) throw new IndexFault("has a chunk in a place that can't be");
    next += chunk.storedBytes;
    return chunk;
  };

  const counts = take(12);
  const factsBytes = counts.readUInt32LE(0);
  if (factsBytes > MOST.factsBytes) throw new IndexFault("says too much of its archive");
  const facts = parseFacts(take(factsBytes));
  const entryChunks: EntryChunk[] = [];
  for (let left = counts.readUInt32LE(4); left > 0; left -= 1) {
    const chunk = takeChunk();
    entryChunks.push({ ...chunk, key: take(take(2).readUInt16LE(0)) });
  }
  const blockChunks: BlockChunk[] = [];
  let firstBlock = 0;
  for (let left = counts.readUInt32LE(8); left > 0; left -= 1) {
    const chunk = takeChunk();
    const starts = take(16);
    blockChunks.push({ ...chunk, firstBlock, firstRawByte: safe(starts, 0), firstStoredByte: safe(starts, 8) });
    firstBlock += chunk.count;
  }
  if (at !== raw.length || next !== endOfChunks) throw new IndexFault("has a directory that does not add up");
  const entries = entryChunks.reduce((sum, { count }) => sum + count, 0);
  if (entries !== facts.entries || firstBlock !== facts.blocks.count) {
    throw new IndexFault("has a directory that does not add up");
  }
  return { facts, entryChunks, blockChunks };
}

function unpack(stored: Buffer, rawBytes: number, sha256: Uint8Array, what: string): Buffer {
  if (!hash("sha256", stored, "buffer").equals(sha256)) throw new IndexFault(`has a damaged ${what}`);
  let raw: Buffer;
  try {
    raw = zstdDecompressSync(stored, { maxOutputLength: Math.max(1, rawBytes) });
  } catch (cause) {
    throw new IndexFault(`has a ${what} that can't be decompressed`, { cause });
  }
  if (raw.length !== rawBytes) throw new IndexFault(`has a ${what} of another size than stated`);
  return raw;
}

async function exactly(read: RangeReader, offset: number, length: number): Promise<Buffer> {
  const bytes = await read(offset, length);
  if (bytes.length !== length) throw new IndexFault("ends too early");
  return bytes;
}

function safe(bytes: Buffer, at: number): number {
  const value = Number(bytes.readBigUInt64LE(at));
  if (!Number.isSafeInteger(value)) throw new IndexFault("holds a number that is too large");
  return value;
}
