import type { ArchiveEntry } from "./entry.ts";
import { createBlockReader } from "./read-blocks.ts";
import { MissingContent, type ArchiveFaults } from "./read-errors.ts";
import { createEntryAssembler } from "./read-entries.ts";
import { BLOCK_BYTES, HeaderFault, isTarHeader } from "./read-headers.ts";
import { readTar, type EntryWithBody } from "./read.ts";
import { salvagePieces, type DamagedPlace } from "./salvage-pieces.ts";
import { comparePaths, plainPath } from "../path-order.ts";

export interface SalvageOptions {
  readonly signal: AbortSignal;
  /** Paths of which the first components are known to be those of entries: of an entry that was seen, of sources. */
  readonly known: readonly Buffer[];
  /** A place in the archive that can't be read; entries whose headers lie in it can't be named. */
  onDamage(place: DamagedPlace): void;
}

/** Losses that an entry's body tells, and that end one stretch of the archive. */
const LOSS: ArchiveFaults = {
  truncated: () => loss(),
  damaged: () => loss(),
  surplus: () => loss(),
  surplusBehindEnd: () => loss(),
  notAnArchive: () => loss(),
};

/**
 * Reads what can be read of a damaged archive of ours, without its index: its members or frames are independent, and its
 * entries sorted. Behind a damaged place it goes on at the next header that can be one of this archive. An entry that
 * reaches into such a place has a body that throws `MissingContent`.
 */
export async function* salvageArchive(
  bytes: AsyncIterable<Uint8Array>,
  options: SalvageOptions,
): AsyncGenerator<EntryWithBody, void, undefined> {
  const seen = createSeen(options.known);
  for await (const { chunks, isBehindDamage } of stretchesOf(salvagePieces(bytes, options))) {
    let rest: Chunks | undefined = isBehindDamage ? await seek(chunks, seen) : chunks;
    while (rest !== undefined) {
      const reader = createBlockReader(rest);
      rest = undefined;
      try {
        for await (const entry of readTar(reader, LOSS)) {
          seen.add(entry.entry);
          yield entry;
        }
        return; // The end mark.
      } catch (thrown) {
        if (thrown instanceof HeaderFault) {
          options.onDamage({ what: "a header", offset: reader.offset() });
          rest = await seek(reader.pieces(Number.MAX_SAFE_INTEGER), seen);
        } else if (!(thrown instanceof MissingContent)) throw thrown;
      }
    }
  }
}

type Chunks = AsyncGenerator<Buffer, void, undefined>;

/** Blocks that follow each other without damage between them. */
async function* stretchesOf(
  pieces: AsyncGenerator<Buffer | "damage", void, undefined>,
): AsyncGenerator<{ readonly chunks: Chunks; readonly isBehindDamage: boolean }, void, undefined> {
  let isBehindDamage = false;
  let end: "damage" | "end" | undefined;
  async function* stretch(): Chunks {
    end = undefined;
    while (end === undefined) {
      const { done, value } = await pieces.next();
      if (done === true || value === "damage") end = done === true ? "end" : "damage";
      else yield value;
    }
  }
  try {
    while (end !== "end") {
      const chunks = stretch();
      yield { chunks, isBehindDamage };
      while ((await chunks.next()).done !== true) continue;
      isBehindDamage = true;
    }
  } finally {
    await pieces.return();
  }
}

/** What tells an entry of this archive from one of an archive that lies in it as a file. */
interface Seen {
  add(entry: ArchiveEntry): void;
  /** Entries are sorted, and lie in a source. */
  canBe(path: Buffer): boolean;
}

function createSeen(known: readonly Buffer[]): Seen {
  const tops = new Set(known.map((path) => topOf(plainPath(path))));
  let last: Buffer | undefined;
  return {
    add({ pathBytes }) {
      last = plainPath(pathBytes);
      tops.add(topOf(last));
    },
    canBe: (path) => tops.has(topOf(path)) && (last === undefined || comparePaths(last, path) < 0),
  };
}

function topOf(path: Buffer): string {
  const slash = path.indexOf(0x2f);
  return path.toString("latin1", 0, slash === -1 ? path.length : slash);
}

/** The tar data from the next header on that can be one of this archive; undefined where there is none. */
async function seek(pieces: Chunks, seen: Seen): Promise<Chunks | undefined> {
  for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
    const piece = next.value;
    for (let at = 0; at + BLOCK_BYTES <= piece.length; at += BLOCK_BYTES) {
      const path = isTarHeader(piece.subarray(at, at + BLOCK_BYTES)) ? pathAt(piece, at) : undefined;
      if (path !== undefined && seen.canBe(path)) return joined(piece.subarray(at), pieces);
    }
  }
  return undefined;
}

async function* joined(first: Buffer, rest: Chunks): Chunks {
  yield first;
  yield* rest;
}

/** The path of the entry whose first header lies there, if there is one. Headers don't reach from one block into the next. */
function pathAt(piece: Buffer, start: number): Buffer | undefined {
  const assembler = createEntryAssembler();
  try {
    for (let at = start; at + BLOCK_BYTES <= piece.length;) {
      const step = assembler.takeHeader(piece.subarray(at, at + BLOCK_BYTES));
      at += BLOCK_BYTES;
      if (step.kind === "entry") {
        // A name that fills its field may be the beginning of one whose extended header is lost.
        const { pathBytes } = step.entry;
        return at - BLOCK_BYTES === start && pathBytes.length === NAME_BYTES ? undefined : plainPath(pathBytes);
      }
      assembler.takeExtension(piece.subarray(at, at + step.sizeBytes));
      at += Math.ceil(step.sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
    }
  } catch (thrown) {
    if (!(thrown instanceof HeaderFault)) throw thrown;
  }
  return undefined;
}

const NAME_BYTES = 100;

function loss(): MissingContent {
  return new MissingContent("lies in a damaged part of the archive");
}
