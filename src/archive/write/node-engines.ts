import { constants, crc32, gzipSync, zstdCompressSync } from "node:zlib";
import type { BlockEngine, MemberWriter, ZstdSettings } from "./block-engine.ts";
import { writeStoredMember } from "./gzip-member.ts";

/** What is built into Node.js, for where the libraries are missing: the same format, at twice the CPU time. */

export function nodeGzip(level: number): MemberWriter {
  let content: Uint8Array = new Uint8Array(0);
  let target: Buffer = Buffer.alloc(0);
  return {
    name: `zlib ${shortVersion(process.versions.zlib)} level ${level}`,
    begin(input, output) {
      content = new Uint8Array(input);
      target = Buffer.from(output);
    },
    deflate(from, to, at) {
      const member = gzipSync(content.subarray(from, to), { level, chunkSize: chunkBytes(to - from) });
      target.set(member, at);
      return member.length;
    },
    store(from, to, at) {
      const stored = content.subarray(from, to);
      return writeStoredMember(stored, crc32(stored), target, at);
    },
  };
}

export function nodeZstd({ level, windowLog }: ZstdSettings): BlockEngine {
  const params = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_windowLog]: windowLog,
    [constants.ZSTD_c_contentSizeFlag]: 1,
    [constants.ZSTD_c_checksumFlag]: 1,
  };
  return {
    name: `zstd ${shortVersion(process.versions["zstd"])} of Node.js level ${level}`,
    compress(input, bytes, output) {
      const block = new Uint8Array(input, 0, bytes);
      const frame = zstdCompressSync(block, { params, pledgedSrcSize: bytes, chunkSize: chunkBytes(bytes) });
      new Uint8Array(output).set(frame);
      return frame.length;
    },
  };
}

/** Few pieces for what compresses well, without much memory for each: it is garbage that waits to be collected. */
function chunkBytes(bytes: number): number {
  return 32 * 1024 + Math.ceil(bytes / 4);
}

/** `1.3.2.1-motley-285e94b` -> `1.3.2.1`. */
function shortVersion(version: string | undefined): string {
  return version?.split("-")[0] ?? "";
}
