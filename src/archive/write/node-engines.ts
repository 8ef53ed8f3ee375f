import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { type BlockEngine, type MemberWriter, outputCapacityBytes } from "./block-engine.ts";
import { writeStoredMember } from "./gzip-member.ts";

/** What is built into Node.js, for where the libraries are missing: the same format, at twice the CPU time. */

export function nodeGzip(level: number): MemberWriter {
  let content = new Uint8Array(0);
  let target = Buffer.alloc(0);
  return {
    name: `zlib ${shortVersion(process.versions.zlib)} level ${level}`,
    begin(input, output) {
      content = new Uint8Array(input);
      target = Buffer.from(output);
    },
    deflate(from, to, at) {
      // Room for the worst case, so that a member comes out in one piece.
      const member = gzipSync(content.subarray(from, to), { level, chunkSize: outputCapacityBytes(to - from) });
      target.set(member, at);
      return member.length;
    },
    store: (from, to, at) => writeStoredMember(content.subarray(from, to), target, at),
  };
}

export function nodeZstd(level: number): BlockEngine {
  const params = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_contentSizeFlag]: 1,
    [constants.ZSTD_c_checksumFlag]: 1,
  };
  return {
    name: `zstd ${shortVersion(process.versions["zstd"])} of Node.js level ${level}`,
    compress(input, bytes, output) {
      const block = new Uint8Array(input, 0, bytes);
      const frame = zstdCompressSync(block, { params, pledgedSrcSize: bytes, chunkSize: outputCapacityBytes(bytes) });
      new Uint8Array(output).set(frame);
      return frame.length;
    },
  };
}

/** `1.3.2.1-motley-285e94b` -> `1.3.2.1`. */
function shortVersion(version: string | undefined): string {
  return version?.split("-")[0] ?? "";
}
