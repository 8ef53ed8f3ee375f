import { createIndexWriter } from "../../src/archive/index/writer.ts";
import { createRawReader, type RawReader } from "../../src/archive/index/blocks.ts";
import type { RangeReader } from "../../src/archive/index/directory.ts";
import { openIndex, type ArchiveIndex } from "../../src/archive/index/reader.ts";
import { CUT_RULE } from "../../src/archive/write/blocks.ts";
import type { ArchiveOptions, ArchiveResult, ArchiveSource } from "../../src/contracts/archive.ts";
import { makeArchive, type MadeArchive } from "./make.ts";

const MOST_BYTES = 2 ** 30;

export interface IndexedArchive extends MadeArchive {
  readonly indexBytes: Buffer;
}

/** An archive in memory, with its index. */
export async function makeIndexed(
  sources: readonly string[],
  options: Partial<ArchiveOptions> = {},
): Promise<IndexedArchive> {
  const writer = createIndexWriter(MOST_BYTES);
  const made = await makeArchive(sources, { ...options, onBlock: (block) => writer.add(block) });
  return { ...made, indexBytes: await collect(writer.finish(factsOf(made.result, options))) };
}

export function factsOf(
  result: ArchiveResult,
  { compression = "none", level = "default" }: Partial<ArchiveOptions> = {},
) {
  const { sizeBytes, sha256, blocksSha256, compressor } = result;
  const archive = { name: "site.tar", sizeBytes, sha256 };
  return { archive, blocksSha256, cutRule: { ...CUT_RULE }, compression, compressor, level, lifeboat: "0.1.0" };
}

export async function collect(source: ArchiveSource): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source.read(0, new AbortController().signal)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Reads a buffer as a store would, and counts. */
export function countingReader(bytes: Buffer): {
  readonly read: RangeReader;
  readonly counts: { requests: number; bytes: number };
} {
  const counts = { requests: 0, bytes: 0 };
  return {
    counts,
    read(offset, length) {
      const piece = bytes.subarray(offset, offset + length);
      counts.requests += 1;
      counts.bytes += piece.length;
      return Promise.resolve(Buffer.from(piece));
    },
  };
}

export async function openBoth(
  bytes: Buffer,
  indexBytes: Buffer,
): Promise<{
  readonly index: ArchiveIndex;
  readonly raw: RawReader;
  readonly counts: { requests: number; bytes: number };
}> {
  const index = await openIndex(countingReader(indexBytes).read, indexBytes.length);
  const { read, counts } = countingReader(bytes);
  return { index, raw: createRawReader(index, read, new AbortController().signal), counts };
}
