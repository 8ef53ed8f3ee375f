import { createHash } from "node:crypto";
import type { ArchiveBlock, ArchiveResult } from "../../contracts/archive.ts";

/** What is known of each block as it leaves the engine. */
export interface BlockFacts {
  /** `block`: what was compressed; `output`: what came of it, with its checksum. */
  add(
    block: { readonly bytes: number; readonly entries: Uint8Array },
    output: { readonly outputBytes: number; readonly sha256: Uint8Array },
  ): void;
  result(): Pick<ArchiveResult, "blocks" | "blocksSha256">;
}

export function createBlockFacts(onBlock: ((block: ArchiveBlock) => void) | undefined): BlockFacts {
  const list = createHash("sha256");
  let blocks = 0;
  return {
    add({ bytes, entries }, { outputBytes, sha256 }) {
      list.update(sha256);
      blocks += 1;
      onBlock?.({ rawBytes: bytes, storedBytes: outputBytes, sha256, entries });
    },
    result: () => ({ blocks, blocksSha256: list.digest("hex") }),
  };
}
