import type { BlockEngine, MemberWriter } from "./block-engine.ts";
import { partBlock } from "./compressibility.ts";
import { fixGzipHeader } from "./gzip-member.ts";

/** A block becomes one gzip member; more than one where it holds stretches that are stored as they are. */
export function gzipEngine(members: MemberWriter): BlockEngine {
  return {
    name: members.name,
    compress(input, bytes, output) {
      const block = new Uint8Array(input, 0, bytes);
      const written = new Uint8Array(output);
      members.begin(input, output);
      let from = 0;
      let at = 0;
      for (const { end, isStored } of partBlock(block)) {
        const size = isStored ? members.store(from, end, at) : members.deflate(from, end, at);
        fixGzipHeader(written, at);
        from = end;
        at += size;
      }
      return at;
    },
  };
}
