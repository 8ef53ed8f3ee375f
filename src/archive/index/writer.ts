import { createHash, hash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { ArchiveBlock, ArchiveSource } from "../../contracts/archive.ts";
import { BLOCK_ROW_BYTES, CHUNK_BLOCKS, MAGIC, MOST, TRAILER, TRAILER_BYTES, type IndexFacts } from "./format.ts";
import { compressChunk, createSortedChunks, type StoredChunk } from "./sorted-chunks.ts";

/** Collects an index while its archive is written. Memory: the finished index, compressed. */
export interface IndexWriter {
  /** Blocks in the archive's order. Never throws: an archive is more important than its index. */
  add(block: ArchiveBlock): void;
  /** The index, ready to be stored. @throws what kept it from being made */
  finish(facts: ArchiveFacts): ArchiveSource;
}

/** What only the one who made the archive knows. */
export interface ArchiveFacts extends Omit<IndexFacts, "entries" | "blocks"> {
  readonly blocksSha256: string;
}

interface BlockChunk extends StoredChunk {
  readonly firstRawByte: number;
  readonly firstStoredByte: number;
}

/** @param mostBytes gives up an index that would take more memory */
export function createIndexWriter(mostBytes: number): IndexWriter {
  let sorted = createSortedChunks();
  let blockChunks: BlockChunk[] = [];
  const rows = Buffer.alloc(BLOCK_ROW_BYTES * CHUNK_BLOCKS);
  let rowCount = 0;
  let blockBytes = 0;
  let blockCount = 0;
  let firstRawByte = 0;
  let firstStoredByte = 0;
  let nextRawByte = 0;
  let nextStoredByte = 0;
  let failure: { readonly error: unknown } | undefined;

  const flushBlocks = (): void => {
    if (rowCount === 0) return;
    const raw = rows.subarray(0, rowCount * BLOCK_ROW_BYTES);
    const stored = compressChunk(raw);
    const key = Buffer.alloc(0);
    blockChunks.push({ stored, rawBytes: raw.length, count: rowCount, key, firstRawByte, firstStoredByte });
    blockBytes += stored.length;
    rowCount = 0;
    firstRawByte = nextRawByte;
    firstStoredByte = nextStoredByte;
  };
  const addUnchecked = ({ rawBytes, storedBytes, sha256, entries }: ArchiveBlock): void => {
    if (rowCount === CHUNK_BLOCKS) flushBlocks();
    const row = rowCount * BLOCK_ROW_BYTES;
    rows.writeUInt32LE(rawBytes, row);
    rows.writeUInt32LE(storedBytes, row + 4);
    rows.set(sha256, row + 8);
    rowCount += 1;
    blockCount += 1;
    nextRawByte += rawBytes;
    nextStoredByte += storedBytes;
    sorted.add(Buffer.from(entries.buffer, entries.byteOffset, entries.byteLength));
    if (sorted.heldBytes + blockBytes > mostBytes) {
      throw new Error(`it would take more than ${mostBytes} bytes of memory`);
    }
  };

  return {
    add(block) {
      if (failure !== undefined) return;
      try {
        addUnchecked(block);
      } catch (error) {
        failure = { error };
        sorted = createSortedChunks();
        blockChunks = [];
      }
    },
    finish({ blocksSha256, ...facts }) {
      if (failure !== undefined) throw failure.error;
      flushBlocks();
      if (nextStoredByte !== facts.archive.sizeBytes) throw new Error("its blocks are not those of the archive");
      const { entries } = sorted;
      const blocks = { count: blockCount, rawBytes: nextRawByte, sha256: blocksSha256 };
      return assemble(sorted.finish(), blockChunks, { ...facts, blocks, entries });
    },
  };
}

function assemble(
  entryChunks: readonly StoredChunk[],
  blockChunks: readonly BlockChunk[],
  facts: IndexFacts,
): ArchiveSource {
  const json = Buffer.from(JSON.stringify(facts));
  const counts = Buffer.alloc(12);
  counts.writeUInt32LE(json.length, 0);
  counts.writeUInt32LE(entryChunks.length, 4);
  counts.writeUInt32LE(blockChunks.length, 8);
  const parts: Uint8Array[] = [counts, json];
  let offset = MAGIC.length;
  for (const chunk of entryChunks) {
    const keyLength = Buffer.alloc(2);
    keyLength.writeUInt16LE(chunk.key.length);
    parts.push(directoryRecord(chunk, offset), keyLength, chunk.key);
    offset += chunk.stored.length;
  }
  for (const chunk of blockChunks) {
    const starts = Buffer.alloc(16);
    starts.writeBigUInt64LE(BigInt(chunk.firstRawByte), 0);
    starts.writeBigUInt64LE(BigInt(chunk.firstStoredByte), 8);
    parts.push(directoryRecord(chunk, offset), starts);
    offset += chunk.stored.length;
  }
  const directory = Buffer.concat(parts);
  if (directory.length > MOST.directoryBytes) throw new Error("its directory would be too large");
  const stored = compressChunk(directory);
  const trailer = Buffer.alloc(TRAILER_BYTES);
  trailer.writeBigUInt64LE(BigInt(offset), TRAILER.directoryOffset);
  trailer.writeUInt32LE(stored.length, TRAILER.directoryStoredBytes);
  trailer.writeUInt32LE(directory.length, TRAILER.directoryRawBytes);
  trailer.set(hash("sha256", stored, "buffer"), TRAILER.directorySha256);
  trailer.writeBigUInt64LE(BigInt(offset + stored.length + TRAILER_BYTES), TRAILER.indexBytes);
  trailer.writeUInt32LE(crc32(trailer.subarray(0, TRAILER.crc32)), TRAILER.crc32);
  trailer.set(MAGIC, TRAILER.magic);
  return sourceOf([MAGIC, ...[...entryChunks, ...blockChunks].map((chunk) => chunk.stored), stored, trailer]);
}

/** Offset, stored and raw size, count, SHA-256 of what is stored. */
function directoryRecord({ stored, rawBytes, count }: StoredChunk, offset: number): Buffer {
  const record = Buffer.alloc(52);
  record.writeBigUInt64LE(BigInt(offset), 0);
  record.writeUInt32LE(stored.length, 8);
  record.writeUInt32LE(rawBytes, 12);
  record.writeUInt32LE(count, 16);
  record.set(hash("sha256", stored, "buffer"), 20);
  return record;
}

/** Pieces in memory as destinations read them, without putting them together. */
function sourceOf(pieces: readonly Uint8Array[]): ArchiveSource {
  const digest = createHash("sha256");
  let sizeBytes = 0;
  for (const piece of pieces) {
    digest.update(piece);
    sizeBytes += piece.length;
  }
  return {
    sizeBytes,
    estimateBytes: sizeBytes,
    finished: Promise.resolve({ sizeBytes, sha256: digest.digest("hex") }),
    async *read(offset, signal) {
      let start = 0;
      for (const piece of pieces) {
        signal.throwIfAborted();
        if (offset < start + piece.length) yield piece.subarray(Math.max(0, offset - start));
        start += piece.length;
      }
    },
    release() {
      // It stays for the next destination.
    },
  };
}
