import { createHash } from "node:crypto";
import { printablePath } from "../../lib/printable.ts";
import { padded } from "../write/blocks.ts";
import type { ArchiveIndex, IndexBlock } from "./reader.ts";

/** Passes an archive's bytes on and compares each block with the index; `onDamage` gets those that differ. */
export async function* checkBlocks(
  index: ArchiveIndex,
  bytes: AsyncIterable<Uint8Array>,
  onDamage: (block: IndexBlock) => void,
): AsyncGenerator<Uint8Array, void, void> {
  let block = await index.block(0);
  let hash = createHash("sha256");
  let left = block?.storedBytes ?? 0;
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.byteLength && block !== undefined;) {
      const piece = chunk.subarray(at, at + left);
      hash.update(piece);
      at += piece.byteLength;
      left -= piece.byteLength;
      if (left > 0) break;
      if (!hash.digest().equals(block.sha256)) onDamage(block);
      hash = createHash("sha256");
      block = await index.block(block.number + 1);
      left = block?.storedBytes ?? 0;
    }
    yield chunk;
  }
  // What does not come is as lost as what is wrong.
  for (; block !== undefined; block = await index.block(block.number + 1)) onDamage(block);
}

/** Paths of entries of which something lies in these blocks: the first `most`, and how many there are. */
export async function entriesIn(
  index: ArchiveIndex,
  blocks: readonly IndexBlock[],
  most: number,
): Promise<{ readonly shown: readonly string[]; readonly count: number }> {
  const shown: string[] = [];
  let count = 0;
  for await (const { path, block, offset, headerBytes, sizeBytes } of index.atOrBelow(Buffer.alloc(0))) {
    const start = ((await index.block(block))?.firstRawByte ?? 0) + offset;
    const end = start + headerBytes + padded(sizeBytes);
    const isHit = blocks.some(({ firstRawByte, rawBytes }) => firstRawByte < end && start < firstRawByte + rawBytes);
    if (!isHit) continue;
    count += 1;
    if (shown.length < most) shown.push(path.length === 0 ? "." : printablePath(path));
  }
  return { shown, count };
}
