import { createHash } from "node:crypto";
import { padded } from "../write/blocks.ts";
import { END_BYTES } from "../write/headers.ts";
import { viewChunk, type ChunkView, type IndexEntry } from "./chunk-view.ts";
import { readChunk, readDirectory, type BlockChunk, type EntryChunk, type RangeReader } from "./directory.ts";
import { BLOCK_ROW_BYTES, IndexFault, KEY_BYTES, MOST, mostStoredBytes, type IndexFacts } from "./format.ts";
import { comparePaths, isAtOrBelow } from "../path-order.ts";

/** One block of the archive. */
export interface IndexBlock {
  readonly number: number;
  /** Of the tar data. */
  readonly firstRawByte: number;
  readonly rawBytes: number;
  /** Of the archive. */
  readonly firstStoredByte: number;
  readonly storedBytes: number;
  readonly sha256: Buffer;
}

/** An index that is read piece by piece. Every method throws `IndexFault` where a piece turns out to be damaged. */
export interface ArchiveIndex {
  readonly facts: IndexFacts;
  /** The entry of this path (see path-order.ts); of several the last. */
  find(path: Buffer): Promise<IndexEntry | undefined>;
  /** The first of these paths at or below which there is anything. */
  firstOf(paths: readonly Buffer[]): Promise<Buffer | undefined>;
  /** Everything at or below a path, in order; all with the empty path. */
  atOrBelow(path: Buffer): AsyncGenerator<IndexEntry, void, void>;
  /**
   * Reads all that `atOrBelow` would, so that a damaged piece is noticed before anything is done. With the empty path it
   * also proves that the entries fill the archive, and that the blocks' list is the one that `facts` name.
   */
  prove(path: Buffer): Promise<void>;
  /** The block of this number, or undefined behind the last one. */
  block(number: number): Promise<IndexBlock | undefined>;
}

/** @param indexBytes its size, as the store gives it */
export async function openIndex(read: RangeReader, indexBytes: number): Promise<ArchiveIndex> {
  const { facts, entryChunks, blockChunks } = await readDirectory(read, indexBytes);
  let openChunk: { readonly chunk: EntryChunk; readonly view: ChunkView } | undefined;
  let openBlocks: { readonly chunk: BlockChunk; readonly blocks: readonly IndexBlock[] } | undefined;

  const open = async (chunk: EntryChunk): Promise<ChunkView> => {
    if (openChunk?.chunk === chunk) return openChunk.view;
    const view = viewChunk(await readChunk(read, chunk));
    if (view.count !== chunk.count) throw new IndexFault("has a chunk with another number of entries than stated");
    openChunk = { chunk, view };
    return view;
  };

  async function* atOrBelow(path: Buffer): AsyncGenerator<IndexEntry, void, void> {
    for (let at = firstChunkFor(entryChunks, path); at < entryChunks.length; at += 1) {
      const chunk = entryChunks[at];
      if (chunk === undefined) return;
      const view = await open(chunk);
      for (let row = lowerBound(view, path); row < view.count; row += 1) {
        if (!isAtOrBelow(view.path(row), path)) return;
        yield view.entry(row);
      }
    }
  }

  const block = async (number: number): Promise<IndexBlock | undefined> => {
    if (number >= facts.blocks.count) return undefined;
    const last = openBlocks?.chunk;
    if (last === undefined || number < last.firstBlock || number >= last.firstBlock + last.count) {
      const at = lastAtMost(blockChunks, (chunk) => chunk.firstBlock - number);
      const chunk = blockChunks[at];
      if (chunk === undefined) throw new IndexFault("knows nothing of a block");
      const next = blockChunks[at + 1];
      const ends = {
        raw: next?.firstRawByte ?? facts.blocks.rawBytes,
        stored: next?.firstStoredByte ?? facts.archive.sizeBytes,
      };
      openBlocks = { chunk, blocks: blocksOf(chunk, await readChunk(read, chunk), ends) };
    }
    return openBlocks?.blocks[number - openBlocks.chunk.firstBlock];
  };

  return {
    facts,
    atOrBelow,
    block,
    async firstOf(paths) {
      for (const path of paths) if ((await atOrBelow(path).next()).done !== true) return path;
      return undefined;
    },
    async prove(path) {
      let rawBytes = END_BYTES;
      for await (const { headerBytes, sizeBytes } of atOrBelow(path)) rawBytes += headerBytes + padded(sizeBytes);
      if (path.length > 0) return;
      const list = createHash("sha256");
      for (let one = await block(0); one !== undefined; one = await block(one.number + 1)) {
        list.update(one.sha256);
      }
      if (rawBytes !== facts.blocks.rawBytes || list.digest("hex") !== facts.blocks.sha256) {
        throw new IndexFault("does not name all that is in the archive");
      }
    },
    async find(path) {
      let found: IndexEntry | undefined;
      for await (const entry of atOrBelow(path)) {
        if (!entry.path.equals(path)) break;
        found = entry;
      }
      return found;
    },
  };
}

function blocksOf(
  chunk: BlockChunk,
  raw: Buffer,
  ends: { readonly raw: number; readonly stored: number },
): IndexBlock[] {
  if (raw.length !== chunk.count * BLOCK_ROW_BYTES) throw new IndexFault("has a list of blocks of another length");
  const blocks: IndexBlock[] = [];
  let firstRawByte = chunk.firstRawByte;
  let firstStoredByte = chunk.firstStoredByte;
  for (let row = 0; row < raw.length; row += BLOCK_ROW_BYTES) {
    const rawBytes = raw.readUInt32LE(row);
    const storedBytes = raw.readUInt32LE(row + 4);
    if (rawBytes === 0 || rawBytes > MOST.blockBytes || storedBytes > mostStoredBytes(rawBytes)) {
      throw new IndexFault("has a block of a size that can't be");
    }
    const sha256 = raw.subarray(row + 8, row + BLOCK_ROW_BYTES);
    const number = chunk.firstBlock + blocks.length;
    blocks.push({ number, firstRawByte, rawBytes, firstStoredByte, storedBytes, sha256 });
    firstRawByte += rawBytes;
    firstStoredByte += storedBytes;
  }
  if (firstRawByte !== ends.raw || firstStoredByte !== ends.stored) {
    throw new IndexFault("has a list of blocks that does not add up");
  }
  return blocks;
}

/** The first chunk that can hold `path`: keys may be cut, so that several chunks can have the same. */
function firstChunkFor(chunks: readonly EntryChunk[], path: Buffer): number {
  const wanted = path.subarray(0, KEY_BYTES);
  return Math.max(
    0,
    lastAtMost(chunks, (chunk) => (comparePaths(chunk.key, wanted) < 0 ? -1 : 1)),
  );
}

/** The last place where `difference` is at most 0, in a list in which it grows; -1 where there is none. */
function lastAtMost<T>(list: readonly T[], difference: (item: T) => number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = list[middle];
    if (item !== undefined && difference(item) <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The first row whose path is not before `path`. */
function lowerBound(view: ChunkView, path: Buffer): number {
  let low = 0;
  let high = view.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (comparePaths(view.path(middle), path) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
