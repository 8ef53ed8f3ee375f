import { FIELD, RECORD_BYTES } from "../write/entry-log.ts";
import { CHUNK_ENTRIES, CHUNK_TEXT_BYTES, COLUMNS, ENTRY_BYTES } from "./format.ts";
import { comparePaths, plainPath } from "../path-order.ts";

/** Columns in the order of the format. */
const COLUMN_LIST = Object.values(COLUMNS).toSorted((a, b) => a.place - b.place);

/** Entries of one chunk in order, uncompressed, and its first and last path. */
export interface BuiltChunk {
  readonly raw: Buffer;
  readonly count: number;
  readonly first: Buffer;
  readonly last: Buffer;
}

/** Where records of the entry log become the columns of one chunk. */
export interface ChunkBuilder {
  readonly isFull: boolean;
  /** Adds the record that begins at `record`; gives the offset of the next one. */
  add(log: Buffer, record: number): number;
  /** What was added, sorted; begins a new chunk. Undefined for an empty one. */
  take(): BuiltChunk | undefined;
}

export function createChunkBuilder(): ChunkBuilder {
  const columns = COLUMN_LIST.map((column) => ({ ...column, bytes: Buffer.alloc(column.width * CHUNK_ENTRIES) }));
  const paths = createTexts();
  const links = createTexts();
  let count = 0;
  let inOrder = true;

  const add = (log: Buffer, record: number): number => {
    const pathStart = record + RECORD_BYTES;
    const linkStart = pathStart + log.readUInt32LE(record + FIELD.pathBytes);
    const end = linkStart + log.readUInt32LE(record + FIELD.linkBytes);
    const path = plainPath(log.subarray(pathStart, linkStart));
    for (const { bytes, width, logged } of columns) {
      if (width === 4) bytes.writeUInt32LE(log.readUInt32LE(record + logged), count * 4);
      else log.copy(bytes, count * width, record + logged, record + logged + width);
    }
    columns[COLUMNS.pathBytes.place]?.bytes.writeUInt32LE(path.length, count * 4);
    if (count > 0 && inOrder) inOrder = comparePaths(paths.get(count - 1), path) <= 0;
    paths.add(path);
    links.add(log.subarray(linkStart, end));
    count += 1;
    return end;
  };

  const take = (): BuiltChunk | undefined => {
    if (count === 0) return undefined;
    const rows = Uint32Array.from({ length: count }, (_, row) => row);
    if (!inOrder) rows.sort((a, b) => comparePaths(paths.get(a), paths.get(b)) || a - b);
    const raw = Buffer.allocUnsafe(4 + count * ENTRY_BYTES + paths.bytes + links.bytes);
    let at = raw.writeUInt32LE(count, 0);
    for (const { bytes, width } of columns) {
      if (inOrder) at += bytes.copy(raw, at, 0, count * width);
      else for (const row of rows) at += bytes.copy(raw, at, row * width, (row + 1) * width);
    }
    for (const texts of [paths, links]) {
      for (const row of rows) {
        const text = texts.get(row);
        raw.set(text, at);
        at += text.length;
      }
    }
    const taken = {
      raw,
      count,
      first: Buffer.from(paths.get(rows[0] ?? 0)),
      last: Buffer.from(paths.get(rows.at(-1) ?? 0)),
    };
    count = 0;
    inOrder = true;
    paths.clear();
    links.clear();
    return taken;
  };

  return {
    get isFull() {
      return count === CHUNK_ENTRIES || paths.bytes + links.bytes >= CHUNK_TEXT_BYTES;
    },
    add,
    take,
  };
}

/** Byte strings one behind the other. */
interface Texts {
  readonly bytes: number;
  add(text: Uint8Array): void;
  /** A view, valid until the next `add`. */
  get(at: number): Uint8Array;
  clear(): void;
}

function createTexts(): Texts {
  const ends = new Uint32Array(CHUNK_ENTRIES + 1);
  let buffer = new Uint8Array(CHUNK_TEXT_BYTES + 4096);
  let used = 0;
  let count = 0;
  return {
    get bytes() {
      return used;
    },
    add(text) {
      if (used + text.length > buffer.length) {
        const larger = new Uint8Array(Math.max(buffer.length * 2, used + text.length));
        larger.set(buffer.subarray(0, used));
        buffer = larger;
      }
      buffer.set(text, used);
      used += text.length;
      count += 1;
      ends[count] = used;
    },
    get: (at) => buffer.subarray(ends[at], ends[at + 1]),
    clear() {
      used = 0;
      count = 0;
    },
  };
}
