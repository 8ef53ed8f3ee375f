import { promisify } from "node:util";
import { constants, gzip, zstdCompress } from "node:zlib";
import type { Compression, CompressionLevel } from "../../contracts/archive.ts";
import { looksCompressible } from "./compressibility.ts";
import { fixGzipHeader, storedGzipMember } from "./gzip-member.ts";

/** Turns one block into one independently readable piece of the archive, off the main thread. */
export interface BlockCompressor {
  /** For the record: library and level. */
  readonly name: string;
  /** The result never shares memory with `block`, which the caller uses again. */
  compress(block: Uint8Array): Promise<Uint8Array>;
}

const GZIP_LEVELS: Record<CompressionLevel, number> = { fast: 1, default: 5, best: 9 };
const ZSTD_LEVELS: Record<CompressionLevel, number> = { fast: 1, default: 3, best: 12 };

const gzipAsync = promisify(gzip) as (block: Uint8Array, options: object) => Promise<Buffer>;
const zstdAsync = promisify(zstdCompress) as (block: Uint8Array, options: object) => Promise<Buffer>;

export function createCompressor(compression: Compression, level: CompressionLevel): BlockCompressor {
  switch (compression) {
    case "none":
      return { name: "none", compress: (block) => Promise.resolve(block.slice()) };
    case "gz":
      return gzipCompressor(GZIP_LEVELS[level]);
    case "zst":
      return zstdCompressor(ZSTD_LEVELS[level]);
  }
}

function gzipCompressor(level: number): BlockCompressor {
  return {
    name: `zlib level ${level}`,
    async compress(block) {
      if (!looksCompressible(block)) return storedGzipMember(block);
      const member = await gzipAsync(block, { level, chunkSize: outputBound(block) });
      fixGzipHeader(member);
      return compact(member);
    },
  };
}

function zstdCompressor(level: number): BlockCompressor {
  return {
    name: `zstd level ${level}`,
    async compress(block) {
      const params = {
        [constants.ZSTD_c_compressionLevel]: level,
        [constants.ZSTD_c_contentSizeFlag]: 1,
        [constants.ZSTD_c_checksumFlag]: 1,
      };
      return compact(await zstdAsync(block, { params, pledgedSrcSize: block.length, chunkSize: outputBound(block) }));
    },
  };
}

/** Room for the worst case, so that a block comes out in one piece: every piece costs a trip to the main thread. */
function outputBound(block: Uint8Array): number {
  return block.length + (block.length >> 8) + 1024;
}

/** Whoever keeps the result for a while must not keep the much larger scratch buffer with it. */
function compact(scratch: Buffer): Uint8Array {
  return scratch.buffer.byteLength > scratch.length * 1.1 ? Uint8Array.prototype.slice.call(scratch) : scratch;
}
