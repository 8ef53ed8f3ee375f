import { createHash } from "node:crypto";
import type { ArchiveSource } from "../../src/contracts/archive.ts";
import { orAborted } from "../../src/lib/abortable.ts";
import { sampleBytes } from "./sources.ts";

const BLOCK_BYTES = 1024 * 1024;
/** Odd on purpose: no store's part is a multiple of it. */
const CHUNK_BYTES = 65_521;

export interface GeneratedOptions {
  readonly seed?: number;
  /** Nobody knows the size before the last byte was read once. Default: true. */
  readonly isLengthUnknown?: boolean;
  /**
   * Keeps only this much: bytes below the released offset are gone, and none beyond the window come before something is
   * released, as with an archive that streams through memory. Absent: any offset can be read at any time, as from a file.
   */
  readonly windowBytes?: number;
}

/** Bytes of a size that no memory holds at once, made while they are read; the same for the same seed. */
export interface GeneratedSource extends ArchiveSource {
  readonly sha256: string;
  /** The highest offset that was asked for anew: 0 when the body was read once from front to back. */
  readonly readAgainFrom: () => number;
}

export function generatedSource(sizeBytes: number, options: GeneratedOptions = {}): GeneratedSource {
  const blockAt = blocks(options.seed ?? 1);
  const sha256 = digestOf(sizeBytes, blockAt);
  const facts = { sizeBytes, sha256 };
  const isLengthUnknown = options.isLengthUnknown ?? true;
  const done = Promise.withResolvers<typeof facts>();
  const room = windowOf(options.windowBytes);
  let knownBytes = isLengthUnknown ? undefined : sizeBytes;
  let reads = 0;
  let readAgainFrom = 0;
  return {
    sha256,
    readAgainFrom: () => readAgainFrom,
    get sizeBytes() {
      return knownBytes;
    },
    estimateBytes: isLengthUnknown ? 0 : sizeBytes,
    finished: isLengthUnknown ? done.promise : Promise.resolve(facts),
    async *read(offset, signal) {
      reads += 1;
      if (reads > 1) readAgainFrom = Math.max(readAgainFrom, offset);
      for (let at = offset; at < sizeBytes;) {
        signal.throwIfAborted();
        const inBlock = at % BLOCK_BYTES;
        const length = Math.min(CHUNK_BYTES, BLOCK_BYTES - inBlock, sizeBytes - at);
        await room.allows(at, at + length, signal);
        yield Buffer.from(blockAt(Math.floor(at / BLOCK_BYTES)).subarray(inBlock, inBlock + length));
        at += length;
      }
      knownBytes = sizeBytes;
      done.resolve(facts);
    },
    release: (offset) => room.release(offset),
  };
}

/** One megabyte that repeats, stamped with its number, so that a lost or doubled piece changes the digest. */
function blocks(seed: number): (index: number) => Buffer {
  const block = sampleBytes(BLOCK_BYTES, seed);
  return (index) => {
    for (let at = 0; at < BLOCK_BYTES; at += 4_096) block.writeUInt32LE(index, at);
    return block;
  };
}

function digestOf(sizeBytes: number, blockAt: (index: number) => Buffer): string {
  const hash = createHash("sha256");
  for (let at = 0; at < sizeBytes; at += BLOCK_BYTES)
    hash.update(blockAt(at / BLOCK_BYTES).subarray(0, Math.min(BLOCK_BYTES, sizeBytes - at)));
  return hash.digest("hex");
}

interface Room {
  allows(from: number, to: number, signal: AbortSignal): Promise<void>;
  release(offset: number): void;
}

function windowOf(windowBytes: number | undefined): Room {
  let released = 0;
  let change = Promise.withResolvers<void>();
  return {
    async allows(from, to, signal) {
      if (windowBytes === undefined) return;
      if (from < released) throw new Error(`bytes from ${from} on are gone: ${released} were released`);
      while (to - released > windowBytes) await orAborted(change.promise, signal);
    },
    release(offset) {
      released = Math.max(released, offset);
      change.resolve();
      change = Promise.withResolvers();
    },
  };
}
