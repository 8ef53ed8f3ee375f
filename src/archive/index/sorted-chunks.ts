import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { createChunkBuilder, type BuiltChunk } from "./chunk-builder.ts";
import { viewChunk, type ChunkView } from "./chunk-view.ts";
import { KEY_BYTES } from "./format.ts";
import { comparePaths } from "../path-order.ts";

/** A chunk as it will stand in the index. */
export interface StoredChunk {
  readonly stored: Buffer;
  readonly rawBytes: number;
  readonly count: number;
  /** The beginning of its first path. */
  readonly key: Buffer;
}

/**
 * Puts packed entries into sorted chunks. They come sorted, except where a source is walked out of turn: then a new run
 * begins, and runs are merged as they grow. Memory: the compressed chunks, and two chunks at work.
 */
export interface SortedChunks {
  readonly entries: number;
  readonly heldBytes: number;
  /** A piece of the entry log. */
  add(log: Buffer): void;
  /** All chunks in order. Nothing can be added after that. */
  finish(): readonly StoredChunk[];
}

interface Run {
  readonly chunks: readonly StoredChunk[];
  readonly entries: number;
}

const COMPRESSION = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

export function compressChunk(raw: Buffer): Buffer {
  return zstdCompressSync(raw, COMPRESSION);
}

export function createSortedChunks(): SortedChunks {
  const runs: Run[] = [];
  const builder = createChunkBuilder();
  let chunks: StoredChunk[] = [];
  let entriesInRun = 0;
  let last: Buffer | undefined;
  let entries = 0;
  let heldBytes = 0;

  const closeRun = (): void => {
    runs.push({ chunks, entries: entriesInRun });
    chunks = [];
    entriesInRun = 0;
    // Equal shares: each entry is merged once for every doubling.
    for (let [before, after] = runs.slice(-2); before && after; [before, after] = runs.slice(-2)) {
      if (before.entries > 2 * after.entries) break;
      runs.splice(-2, 2, merge(before, after));
    }
  };
  const closeChunk = (): void => {
    const built = builder.take();
    if (built === undefined) return;
    if (last !== undefined && comparePaths(last, built.first) > 0) closeRun();
    const chunk = pack(built);
    chunks.push(chunk);
    last = built.last;
    entriesInRun += built.count;
    heldBytes += chunk.stored.length;
  };

  return {
    get entries() {
      return entries;
    },
    get heldBytes() {
      return heldBytes;
    },
    add(log) {
      for (let record = 0; record < log.length;) {
        record = builder.add(log, record);
        entries += 1;
        if (builder.isFull) closeChunk();
      }
    },
    finish() {
      closeChunk();
      let all: Run = { chunks, entries: entriesInRun };
      for (let run = runs.pop(); run !== undefined; run = runs.pop()) all = merge(run, all);
      return all.chunks;
    },
  };
}

function pack({ raw, count, first }: BuiltChunk): StoredChunk {
  // In memory of its own: a piece of the shared pool would keep 64 KiB alive for each chunk.
  const key = Buffer.from(new Uint8Array(first.subarray(0, KEY_BYTES)).buffer);
  return { stored: compressChunk(raw), rawBytes: raw.length, count, key };
}

function merge(left: Run, right: Run): Run {
  const builder = createChunkBuilder();
  const chunks: StoredChunk[] = [];
  const flush = (): void => {
    const built = builder.take();
    if (built !== undefined) chunks.push(pack(built));
  };
  const a = createCursor(left);
  const b = createCursor(right);
  while (!a.isAtEnd || !b.isAtEnd) {
    const from = b.isAtEnd || (!a.isAtEnd && comparePaths(a.path(), b.path()) <= 0) ? a : b;
    builder.add(from.take(), 0);
    if (builder.isFull) flush();
  }
  flush();
  return { chunks, entries: left.entries + right.entries };
}

function createCursor(run: Run) {
  let chunk = -1;
  let at = 0;
  let view: ChunkView | undefined;
  const settle = (): void => {
    while (view === undefined || at >= view.count) {
      chunk += 1;
      at = 0;
      const next = run.chunks[chunk];
      view = next === undefined ? undefined : viewChunk(zstdDecompressSync(next.stored));
      if (view === undefined) return;
    }
  };
  settle();
  return {
    get isAtEnd() {
      return view === undefined;
    },
    path: () => view?.path(at) ?? Buffer.alloc(0),
    take(): Buffer {
      const record = view?.record(at) ?? Buffer.alloc(0);
      at += 1;
      settle();
      return record;
    },
  };
}
