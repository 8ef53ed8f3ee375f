import type { BlockReader } from "./read-blocks.ts";
import { BLOCK_BYTES, numberField, paxNumber } from "./read-headers.ts";

/** A stretch of a file that is stored; between them are holes. */
interface Stretch {
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Where the list of a file's stretches is: with the header (`isContinued`: and in records behind it, GNU's old format), or at
 * the beginning of the content (PAX 1.0). https://www.gnu.org/software/tar/manual/html_node/Sparse-Formats.html
 */
export type SparseMap =
  | { readonly kind: "header"; readonly stretches: readonly Stretch[]; readonly isContinued: boolean }
  | { readonly kind: "content" };

interface SparseFile {
  readonly map: SparseMap;
  /** With its holes. */
  readonly sizeBytes: number;
  /** Where the header has another one, for readers that know nothing of holes. */
  readonly name?: Buffer;
}

const GNU = { stretches: 386, inHeader: 4, continued: 482, realSize: 483, inRecord: 21, recordContinued: 504 } as const;
const STRETCH_BYTES = 24;
const FIELD_BYTES = 12;
/** Millions of holes have been seen; more would be an attack on memory. */
const MOST_STRETCHES = 2_000_000;
/** What ext4 can hold in one file, about. */
const MOST_FILE_BYTES = 2 ** 44;

/** GNU's old format: type `S`. */
export function gnuSparse(block: Buffer): SparseFile {
  const stretches = stretchesIn(block, GNU.stretches, GNU.inHeader);
  const map = { kind: "header", stretches, isContinued: block[GNU.continued] !== 0 } as const;
  return { map, sizeBytes: numberField(block, GNU.realSize, FIELD_BYTES) };
}

/** PAX: 0.0 and 0.1 have the list in their records, 1.0 in the content. Undefined: no such file. */
export function paxSparse(records: ReadonlyMap<string, Buffer>): SparseFile | undefined {
  const sizeBytes = records.get("GNU.sparse.realsize") ?? records.get("GNU.sparse.size");
  if (sizeBytes === undefined) return undefined;
  const list = records.get("GNU.sparse.map");
  const name = records.get("GNU.sparse.name");
  const map: SparseMap =
    list === undefined
      ? { kind: "content" }
      : { kind: "header", stretches: stretchesOf(list.toString("latin1").split(",")), isContinued: false };
  return { map, sizeBytes: paxNumber(sizeBytes), ...(name === undefined ? {} : { name }) };
}

/**
 * Reads what is left of the list. Gives all stretches, undefined where the list can't be that of a file of `sizeBytes` with
 * `storedBytes` of content, and how much of the content the list took.
 */
export async function readStretches(
  blocks: BlockReader,
  map: SparseMap,
  sizeBytes: number,
  storedBytes: number,
): Promise<{ readonly stretches: readonly Stretch[] | undefined; readonly takenBytes: number }> {
  if (map.kind === "content") {
    const { numbers, takenBytes } = await readNumbers(blocks, storedBytes);
    return { stretches: ifSound(stretchesOf(numbers), sizeBytes, storedBytes - takenBytes), takenBytes };
  }
  const stretches = [...map.stretches];
  for (let { isContinued } = map; isContinued;) {
    const record = await blocks.take(BLOCK_BYTES);
    if (record.length < BLOCK_BYTES) break;
    if (stretches.length < MOST_STRETCHES) stretches.push(...stretchesIn(record, 0, GNU.inRecord));
    isContinued = record[GNU.recordContinued] !== 0;
  }
  return { stretches: ifSound(stretches, sizeBytes, storedBytes), takenBytes: 0 };
}

/** PAX 1.0: how many stretches, then offset and size of each, a number a line, filled up to a whole record. */
async function readNumbers(
  blocks: BlockReader,
  storedBytes: number,
): Promise<{ readonly numbers: readonly string[]; readonly takenBytes: number }> {
  const numbers: string[] = [];
  let takenBytes = 0;
  let rest = "";
  let wanted = 1;
  while (numbers.length < wanted && takenBytes < storedBytes && wanted <= 2 * MOST_STRETCHES) {
    const record = await blocks.take(Math.min(BLOCK_BYTES, storedBytes - takenBytes));
    if (record.length === 0) break;
    takenBytes += record.length;
    const lines = (rest + record.toString("latin1")).split("\n");
    rest = lines.pop() ?? "";
    if (takenBytes === record.length) wanted = 1 + 2 * Number(lines[0]);
    numbers.push(...lines);
  }
  return { numbers: numbers.slice(1, wanted), takenBytes };
}

function stretchesIn(block: Buffer, start: number, count: number): Stretch[] {
  const stretches: Stretch[] = [];
  for (let at = start; at < start + count * STRETCH_BYTES && block[at] !== 0; at += STRETCH_BYTES) {
    stretches.push({
      offset: numberField(block, at, FIELD_BYTES),
      bytes: numberField(block, at + FIELD_BYTES, FIELD_BYTES),
    });
  }
  return stretches;
}

function stretchesOf(numbers: readonly string[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (let at = 0; at < numbers.length; at += 2) {
    stretches.push({ offset: numberOf(numbers[at]), bytes: numberOf(numbers[at + 1]) });
  }
  return stretches;
}

function numberOf(text: string | undefined): number {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
}

/** Undefined where stretches overlap, lie outside of the file, or are not what is stored. */
function ifSound(
  stretches: readonly Stretch[],
  sizeBytes: number,
  storedBytes: number,
): readonly Stretch[] | undefined {
  let end = 0;
  let stored = 0;
  for (const { offset, bytes } of stretches) {
    if (!(offset >= end && bytes >= 0)) return undefined;
    end = offset + bytes;
    stored += bytes;
  }
  const isSound = end <= sizeBytes && sizeBytes <= MOST_FILE_BYTES && stored === storedBytes;
  return isSound && stretches.length < MOST_STRETCHES ? stretches : undefined;
}

/** The whole file, holes as pieces of zeros that `isHole` tells from others. */
export async function* withHoles(
  content: AsyncIterable<Buffer>,
  stretches: readonly Stretch[],
  sizeBytes: number,
): AsyncGenerator<Buffer, void, undefined> {
  const following = stretches.filter(({ bytes }) => bytes > 0).values();
  let at = 0;
  let left = 0;
  for await (const stored of content) {
    for (let piece = stored; piece.length > 0;) {
      if (left === 0) {
        const { offset, bytes } = following.next().value ?? { offset: at, bytes: piece.length };
        yield* hole(offset - at);
        at = offset;
        left = bytes;
      }
      const part = piece.subarray(0, left);
      yield part;
      at += part.length;
      left -= part.length;
      piece = piece.subarray(part.length);
    }
  }
  yield* hole(sizeBytes - at);
}

const HOLE_BYTES = 1024 * 1024;
let zeros: Buffer | undefined;

function* hole(bytes: number): Generator<Buffer, void, undefined> {
  zeros ??= Buffer.alloc(HOLE_BYTES);
  for (let left = bytes; left > 0; left -= HOLE_BYTES) yield zeros.subarray(0, left);
}

/** Whether a piece of a file's content stands for a hole: all zeros, and none of them were stored. */
export function isHole(piece: Buffer): boolean {
  return piece.buffer === zeros?.buffer;
}
