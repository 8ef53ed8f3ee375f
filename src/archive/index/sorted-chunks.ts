import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { createChunkBuilder, pathOfRecord, recordLength } from "./chunk-builder.ts";
import { viewChunk, type ChunkView } from "./chunk-view.ts";
import { KEY_BYTES } from "./format.ts";
import { comparePaths, plainPath } from "./path-order.ts";

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
  let writer = createRunWriter();
  let entries = 0;
  let closedBytes = 0;

  const closeRun = (): void => {
    runs.push(writer.close());
    writer = createRunWriter();
    // Equal shares: each entry is merged once for every doubling.
    for (let last = runs.at(-1), before = runs.at(-2); last && before; last = runs.at(-1), before = runs.at(-2)) {
      if (before.entries > 2 * last.entries) break;
      runs.splice(-2, 2, merge(before, last));
    }
    closedBytes = runs.reduce((sum, run) => sum + sizeOf(run.chunks), 0);
  };

  return {
    get entries() {
      return entries;
    },
    get heldBytes() {
      return closedBytes + writer.heldBytes;
    },
    add(log) {
      for (let record = 0; record < log.length; record += recordLength(log, record)) {
        const path = pathOfRecord(log, record);
        if (!writer.takes(path)) closeRun();
        writer.add(log, record, path);
        entries += 1;
      }
    },
    finish() {
      let all = writer.close();
      for (let run = runs.pop(); run !== undefined; run = runs.pop()) all = merge(run, all);
      return all.chunks;
    },
  };
}

function createRunWriter() {
  const builder = createChunkBuilder();
  const chunks: StoredChunk[] = [];
  let lastClosed: Buffer | undefined;
  let entries = 0;
  let heldBytes = 0;
  const flush = (): void => {
    const last = builder.last();
    if (last === undefined) return;
    lastClosed = Buffer.from(last);
    const { raw, count, first } = builder.take();
    const chunk = { stored: compressChunk(raw), rawBytes: raw.length, count, key: first.subarray(0, KEY_BYTES) };
    heldBytes += chunk.stored.length;
    chunks.push(chunk);
  };
  return {
    get heldBytes() {
      return heldBytes;
    },
    takes(path: Uint8Array): boolean {
      const last = builder.last() ?? lastClosed;
      return last === undefined || comparePaths(last, path) <= 0;
    },
    add(log: Buffer, record: number, path: Buffer): void {
      builder.add(log, record, path);
      entries += 1;
      if (builder.isFull) flush();
    },
    close(): Run {
      flush();
      return { chunks, entries };
    },
  };
}

function merge(left: Run, right: Run): Run {
  if (left.entries === 0) return right;
  if (right.entries === 0) return left;
  const writer = createRunWriter();
  const a = createCursor(left);
  const b = createCursor(right);
  while (!a.isAtEnd || !b.isAtEnd) {
    const from = b.isAtEnd || (!a.isAtEnd && comparePaths(a.path(), b.path()) <= 0) ? a : b;
    const record = from.take();
    writer.add(record, 0, plainPath(pathOfRecord(record, 0)));
  }
  return writer.close();
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

function sizeOf(chunks: readonly StoredChunk[]): number {
  return chunks.reduce((sum, { stored }) => sum + stored.length, 0);
}
