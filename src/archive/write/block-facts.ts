import { createHash, hash } from "node:crypto";
import type { ArchiveBlock, ArchiveResult } from "../../contracts/archive.ts";

/** What is known of each block as it leaves the engine. */
export interface BlockFacts {
  /** `block`: what was compressed; `output`: what came of it; `sha256` of that, where a thread has it already. */
  add(block: { readonly bytes: number; readonly entries: Uint8Array }, output: Uint8Array, sha256?: Uint8Array): void;
  result(): Pick<ArchiveResult, "blocks" | "blocksSha256">;
}

export function createBlockFacts(onBlock: ((block: ArchiveBlock) => void) | undefined): BlockFacts {
  const list = createHash("sha256");
  let blocks = 0;
  return {
    add({ bytes, entries }, output, known) {
      const sha256 = known ?? hash("sha256", output, "buffer");
      list.update(sha256);
      blocks += 1;
      onBlock?.({ rawBytes: bytes, storedBytes: output.length, sha256, entries });
    },
    result: () => ({ blocks, blocksSha256: list.digest("hex") }),
  };
}
