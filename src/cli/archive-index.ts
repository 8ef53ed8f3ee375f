import type { Area, Destination } from "../contracts/destination.ts";
import { createRawReader, DamagedBlock, type RawReader } from "../archive/index/blocks.ts";
import type { RangeReader } from "../archive/index/directory.ts";
import { IndexFault, type IndexFacts } from "../archive/index/format.ts";
import { openIndex, type ArchiveIndex } from "../archive/index/reader.ts";
import { indexNameOf } from "../delivery/record-names.ts";
import { DestinationError, messageOf } from "../lib/errors.ts";
import type { FoundArchive } from "./archives.ts";
import type { CommandContext } from "./command.ts";

/** An index that fits its archive, and the archive itself, read in pieces. */
export interface OpenedIndex {
  readonly index: ArchiveIndex;
  readonly raw: RawReader;
}

/**
 * The archive's index, or undefined after a remark that says why the archive has to be read from front to back.
 * @param paths what will be asked for: these parts of the index are proven
 */
export async function openArchiveIndex(
  found: FoundArchive,
  context: CommandContext,
  paths: readonly Buffer[],
): Promise<OpenedIndex | undefined> {
  const { destination, object } = found;
  const { signal } = context;
  try {
    const index = await openStored(found, signal);
    if (index === undefined) {
      sayNoIndex(found, context, "there is none");
      return undefined;
    }
    const readArchive = rangeReader(destination, "archive", object.name, signal, object.sizeBytes);
    const raw = (): RawReader => createRawReader(index, readArchive, signal);
    const { sizeBytes } = index.facts.archive;
    const fit = await howFit(index.facts, found, raw);
    if (fit === "cut off")
      context.output.remark(`${object.name} was cut off: it has ${object.sizeBytes} of ${sizeBytes} bytes`);
    if (fit === "longer")
      context.output.remark(
        `${object.name} goes on behind its end, with ${object.sizeBytes - sizeBytes} bytes too many`,
      );
    for (const path of paths) await index.prove(path);
    return { index, raw: raw() };
  } catch (thrown) {
    if (signal.aborted || !(thrown instanceof IndexFault || thrown instanceof DestinationError)) throw thrown;
    sayNoIndex(found, context, thrown instanceof IndexFault ? `it ${thrown.message}` : messageOf(thrown));
    return undefined;
  }
}

/**
 * The index that the archive's record names, whatever has become of the archive itself: it says what should be in it.
 * Undefined where there is none, or none that can be read.
 */
export async function openRecordedIndex(
  found: FoundArchive,
  { signal }: CommandContext,
): Promise<ArchiveIndex | undefined> {
  if (found.record?.archive === undefined) return undefined;
  try {
    const index = await openStored(found, signal);
    return index !== undefined && isNamedBy(found, index.facts) ? index : undefined;
  } catch (thrown) {
    if (signal.aborted || !(thrown instanceof IndexFault || thrown instanceof DestinationError)) throw thrown;
    return undefined;
  }
}

/** @throws IndexFault; DestinationError */
async function openStored(
  { destination, object }: FoundArchive,
  signal: AbortSignal,
): Promise<ArchiveIndex | undefined> {
  const name = indexNameOf(object.name);
  const indexBytes = await sizeOf(destination, name, signal);
  if (indexBytes === undefined) return undefined;
  return openIndex(rangeReader(destination, "record", name, signal, indexBytes), indexBytes);
}

/** Of the archive's name and, where there is a record, of what that says. */
function isNamedBy({ object, record }: FoundArchive, { archive, blocks }: IndexFacts): boolean {
  const recorded = record?.archive;
  const isOfRecord =
    recorded === undefined ||
    (recorded.sha256 === archive.sha256 &&
      (recorded.blocksSha256 === undefined || recorded.blocksSha256 === blocks.sha256));
  return archive.name === object.name && isOfRecord;
}

/** @throws IndexFault where the index belongs to other bytes */
async function howFit(
  facts: IndexFacts,
  found: FoundArchive,
  raw: () => RawReader,
): Promise<"whole" | "cut off" | "longer"> {
  if (!isNamedBy(found, facts)) throw new IndexFault("is that of another archive");
  const { archive, blocks } = facts;
  const { object } = found;
  if (archive.sizeBytes === object.sizeBytes) return "whole";
  // What was cut off still begins as it did, what was added to still ends so; what took its place does not.
  const isLonger = object.sizeBytes > archive.sizeBytes;
  const isOurs = (await isGood(0, raw())) && (!isLonger || (await isGood(blocks.count - 1, raw())));
  if (isOurs) return isLonger ? "longer" : "cut off";
  throw new IndexFault(
    `is of an archive of ${archive.sizeBytes} bytes, and there are ${object.sizeBytes}: it was ${isLonger ? "changed" : "cut off or replaced"}`,
  );
}

async function isGood(block: number, raw: RawReader): Promise<boolean> {
  try {
    for await (const _ of raw.read(block, 0, 1)) return true;
    return false;
  } catch (thrown) {
    if (thrown instanceof DamagedBlock) return false;
    throw thrown;
  }
}

/** Why an archive is read from front to back. */
export function sayNoIndex({ object }: FoundArchive, context: CommandContext, why: string): void {
  context.output.remark(`${object.name} is read from front to back, without its index: ${why}`);
}

/** Ranges of a stored object; what comes too much is cut off, whatever the store does, and nothing is asked for behind its end. */
function rangeReader(
  destination: Destination,
  area: Area,
  name: string,
  signal: AbortSignal,
  sizeBytes: number,
): RangeReader {
  return async (offset, wantedBytes) => {
    const length = Math.min(wantedBytes, sizeBytes - offset);
    if (length <= 0) return Buffer.alloc(0);
    const stream = await destination.get(area, name, { offset, length }, signal);
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of stream) {
      const piece = Buffer.from(chunk as Uint8Array);
      pieces.push(piece);
      bytes += piece.length;
      if (bytes >= length) break;
    }
    return Buffer.concat(pieces).subarray(0, length);
  };
}

async function sizeOf(destination: Destination, name: string, signal: AbortSignal): Promise<number | undefined> {
  for await (const object of destination.list("record", signal)) if (object.name === name) return object.sizeBytes;
  return undefined;
}
