import type { ArchiveEntry } from "./entry.ts";
import { createBlockReader, isZeroBlock, paddingOf, type BlockReader } from "./read-blocks.ts";
import { decompressed, type DecompressOptions } from "./read-decompress.ts";
import { createEntryAssembler } from "./read-entries.ts";
import type { ArchiveFaults } from "./read-errors.ts";
import { faultsOf, SurplusInArchive } from "./read-errors.ts";
import { BLOCK_BYTES, HeaderFault } from "./read-headers.ts";
import { readStretches, withHoles } from "./read-sparse.ts";

export type { ArchiveEntry, EntryType } from "./entry.ts";

export type ReadOptions = DecompressOptions;

/** An entry and its content, which is valid until the next entry is asked for and need not be read. */
export interface EntryWithBody {
  readonly entry: ArchiveEntry;
  readonly body: AsyncIterable<Buffer>;
}

/**
 * Reads an archive from front to back in bounded memory: ours, or any of GNU tar, bsdtar, Python and Go; gzip, zstd or plain
 * (told by the bytes). Closes `bytes` when done.
 * @throws UserError, after the last good entry, for an archive that is encrypted, truncated, damaged, without its end mark, or
 * followed by something else; the signal's reason when it aborts
 */
export async function* readArchive(
  bytes: AsyncIterable<Uint8Array>,
  options: ReadOptions,
): AsyncGenerator<EntryWithBody, void, undefined> {
  const faults = faultsOf(options.archiveName);
  const tar = decompressed(bytes, options);
  try {
    yield* readTar(createBlockReader(tar), faults);
  } catch (cause) {
    if (cause instanceof HeaderFault) throw faults.damaged(cause.message, cause);
    throw cause;
  } finally {
    await tar.return();
  }
}

/** The entries alone. Errors as of `readArchive`. */
export async function* listEntries(
  bytes: AsyncIterable<Uint8Array>,
  options: ReadOptions,
): AsyncGenerator<ArchiveEntry, void, undefined> {
  for await (const { entry } of readArchive(bytes, options)) yield entry;
}

/** The entries of plain tar data. Throws `HeaderFault` for a damaged header, else what `faults` makes. */
export async function* readTar(
  blocks: BlockReader,
  faults: ArchiveFaults,
): AsyncGenerator<EntryWithBody, void, undefined> {
  const assembler = createEntryAssembler();
  for (;;) {
    const start = blocks.offset();
    const block = await blocks.take(BLOCK_BYTES);
    if (block.length < BLOCK_BYTES) {
      throw faults.truncated(
        block.length === 0
          ? `after ${start} bytes of tar data, without its end mark`
          : `inside a header at byte ${start}`,
      );
    }
    if (isZeroBlock(block)) {
      if (assembler.isPending()) throw faults.damaged(`an extended header at byte ${start} belongs to no entry`);
      await expectEnd(blocks, faults);
      return;
    }
    const step = inContext(start, () => assembler.takeHeader(block));
    if (step.kind === "extension") {
      const content = await blocks.take(step.sizeBytes);
      if (content.length < step.sizeBytes) throw faults.truncated(`inside an extended header at byte ${start}`);
      inContext(start, () => assembler.takeExtension(content));
      await skipPadding(blocks, step.sizeBytes, faults);
      continue;
    }
    const { entry, storedBytes, sparse } = step;
    const list = sparse && (await readStretches(blocks, sparse, entry.sizeBytes, storedBytes));
    const body = createBody(blocks, entry, storedBytes - (list?.takenBytes ?? 0), faults);
    if (list === undefined) yield { entry, body: body.pieces() };
    else if (list.stretches === undefined) yield { entry: { ...entry, ...UNREADABLE_HOLES }, body: body.pieces() };
    else yield { entry, body: withHoles(body.pieces(), list.stretches, entry.sizeBytes) };
    await body.skipRest();
    await skipPadding(blocks, storedBytes, faults);
  }
}

const UNREADABLE_HOLES = { type: "unsupported", typeName: "a sparse file whose list of holes makes no sense" } as const;

function inContext<T>(offset: number, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof HeaderFault) throw new HeaderFault(`${cause.message}, at byte ${offset} of the tar data`);
    throw cause;
  }
}

function createBody(blocks: BlockReader, entry: ArchiveEntry, sizeBytes: number, faults: ArchiveFaults) {
  let missing = sizeBytes;
  const cutShort = () =>
    faults.truncated(`inside ${entry.path}, ${sizeBytes - missing} of ${sizeBytes} bytes are there`);
  return {
    async *pieces(): AsyncGenerator<Buffer, void, undefined> {
      for await (const piece of blocks.pieces(missing)) {
        missing -= piece.length;
        yield piece;
      }
      if (missing > 0) throw cutShort();
    },
    async skipRest(): Promise<void> {
      missing -= await blocks.skip(missing);
      if (missing > 0) throw cutShort();
    },
  };
}

async function skipPadding(blocks: BlockReader, sizeBytes: number, faults: ArchiveFaults): Promise<void> {
  const padding = paddingOf(sizeBytes);
  if ((await blocks.skip(padding)) < padding) throw faults.truncated(`in the padding at byte ${blocks.offset()}`);
}

/** After the first zero block: a second one, then nothing but zeros. Reading on to the end also proves the last checksum. */
async function expectEnd(blocks: BlockReader, faults: ArchiveFaults): Promise<void> {
  const second = await blocks.take(BLOCK_BYTES);
  if (second.length < BLOCK_BYTES) throw faults.truncated("inside its end mark");
  if (!isZeroBlock(second)) throw faults.damaged(`its end mark at byte ${blocks.offset() - BLOCK_BYTES} is not whole`);
  let isSurplus = false;
  try {
    for await (const piece of blocks.pieces(Number.MAX_SAFE_INTEGER)) isSurplus ||= !isZeroBlock(piece);
  } catch (cause) {
    throw cause instanceof SurplusInArchive ? faults.surplusBehindEnd(cause.what) : cause;
  }
  if (isSurplus) throw faults.surplusBehindEnd("something else follows its end mark");
}
