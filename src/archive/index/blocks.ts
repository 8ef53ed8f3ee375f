import { hash } from "node:crypto";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import type { RangeReader } from "./directory.ts";
import { IndexFault } from "./format.ts";
import type { ArchiveIndex, IndexBlock } from "./reader.ts";

/** What a block of the archive should hold is not there. The message completes "it …". */
export class DamagedBlock extends Error {
  readonly block: IndexBlock;
  constructor(block: IndexBlock, options?: ErrorOptions) {
    super(`lies in ${describeBlock(block)}, which is damaged`, options);
    this.block = block;
  }
}

export function describeBlock({ number, firstStoredByte, storedBytes }: IndexBlock): string {
  return `block ${number} (bytes ${firstStoredByte} to ${firstStoredByte + storedBytes - 1} of the archive)`;
}

/** Reads tar data from the middle of an archive. */
export interface RawReader {
  /**
   * `length` bytes of tar data from a place in a block, through as many blocks as that takes. Each is proven before use.
   * @throws DamagedBlock; IndexFault where the index leads nowhere; what the store says
   */
  read(block: number, offset: number, length: number): AsyncGenerator<Buffer, void, void>;
  /** The same at once where it all lies in the block that was read last, as with most small files; else undefined. */
  readAtOnce(block: number, offset: number, length: number): Buffer | undefined;
}

/** Blocks that follow each other come in one request, more the longer it goes on, up to this. */
const LARGEST_REQUEST_BYTES = 8 * 1024 * 1024;
/** Of Node's zlib. */
const LEAST_CHUNK_BYTES = 64;

export function createRawReader(index: ArchiveIndex, read: RangeReader, signal: AbortSignal): RawReader {
  let waiting: { readonly block: IndexBlock; readonly stored: Buffer }[] = [];
  let current: { readonly number: number; readonly raw: Buffer | DamagedBlock } | undefined;
  let nextInRow = -1;
  let inRow = 1;

  const fetch = async (number: number, wantedRawBytes: number): Promise<void> => {
    inRow = number === nextInRow ? inRow * 2 : 1;
    const blocks: IndexBlock[] = [];
    let storedBytes = 0;
    let rawBytes = 0;
    for (let at = number; blocks.length < inRow || rawBytes < wantedRawBytes; at += 1) {
      const block = await index.block(at);
      if (block === undefined || (at > number && storedBytes + block.storedBytes > LARGEST_REQUEST_BYTES)) break;
      blocks.push(block);
      storedBytes += block.storedBytes;
      rawBytes += block.rawBytes;
    }
    const [first] = blocks;
    if (first === undefined) throw new IndexFault("names a block that the archive does not have");
    nextInRow = number + blocks.length;
    signal.throwIfAborted();
    const bytes = await read(first.firstStoredByte, storedBytes);
    waiting = blocks.map((block) => {
      const start = block.firstStoredByte - first.firstStoredByte;
      return { block, stored: bytes.subarray(start, start + block.storedBytes) };
    });
  };

  const rawOf = async (number: number, wantedRawBytes: number): Promise<Buffer> => {
    if (current?.number !== number) {
      let found = waiting.find(({ block }) => block.number === number);
      if (found === undefined) {
        await fetch(number, wantedRawBytes);
        found = waiting[0];
      }
      if (found === undefined) throw new IndexFault("names a block that the archive does not have");
      waiting = waiting.filter(({ block }) => block.number > number);
      current = { number, raw: decoded(index, found.block, found.stored) };
    }
    // A damaged block is remembered: thousands of entries may lie in it.
    if (current.raw instanceof DamagedBlock) throw current.raw;
    return current.raw;
  };

  return {
    readAtOnce(block, offset, length) {
      const raw = current?.number === block ? current.raw : undefined;
      if (raw === undefined || raw instanceof DamagedBlock || offset + length > raw.length) return undefined;
      return raw.subarray(offset, offset + length);
    },
    async *read(block, offset, length) {
      let left = length;
      let start = offset;
      for (let number = block; left > 0; number += 1) {
        signal.throwIfAborted();
        const raw = await rawOf(number, start + left);
        if (start >= raw.length) throw new IndexFault("names a place that its block does not have");
        const piece = raw.subarray(start, start + left);
        left -= piece.length;
        start = 0;
        yield piece;
      }
    },
  };
}

/** The tar data of one block. @throws DamagedBlock */
export function decodeBlock(index: ArchiveIndex, block: IndexBlock, stored: Buffer): Buffer {
  if (stored.length !== block.storedBytes || !hash("sha256", stored, "buffer").equals(block.sha256)) {
    throw new DamagedBlock(block);
  }
  const { compression } = index.facts;
  // One buffer for all of it, and no more than it should be.
  const options = { maxOutputLength: block.rawBytes, chunkSize: Math.max(block.rawBytes, LEAST_CHUNK_BYTES) + 1 };
  let raw = stored;
  try {
    if (compression === "gz") raw = gunzipSync(stored, options);
    else if (compression === "zst") raw = zstdDecompressSync(stored, options);
  } catch (cause) {
    throw new DamagedBlock(block, { cause });
  }
  if (raw.length !== block.rawBytes) throw new DamagedBlock(block);
  return raw;
}

function decoded(index: ArchiveIndex, block: IndexBlock, stored: Buffer): Buffer | DamagedBlock {
  try {
    return decodeBlock(index, block, stored);
  } catch (thrown) {
    if (thrown instanceof DamagedBlock) return thrown;
    throw thrown;
  }
}
