import { FIELD, RECORD_BYTES } from "../write/entry-log.ts";
import { CHUNK_ENTRIES, CHUNK_TEXT_BYTES, COLUMNS, ENTRY_BYTES } from "./format.ts";
import { plainPath } from "./path-order.ts";

/** Columns in the order of the format. */
const COLUMN_LIST = Object.values(COLUMNS).toSorted((a, b) => a.place - b.place);

/** Where records of the entry log become the columns of one chunk. */
export interface ChunkBuilder {
  readonly count: number;
  readonly isFull: boolean;
  /** The path that was added last; undefined for an empty chunk. Valid until the next call. */
  last(): Uint8Array | undefined;
  /** `path` is the record's path in its plain form. */
  add(log: Buffer, record: number, path: Buffer): void;
  /** The chunk, uncompressed, and its first path; begins a new one. */
  take(): { readonly raw: Buffer; readonly count: number; readonly first: Buffer };
}

/** The plain path of a record of the entry log; a view. */
export function pathOfRecord(log: Buffer, record: number): Buffer {
  const start = record + RECORD_BYTES;
  return plainPath(log.subarray(start, start + log.readUInt32LE(record + FIELD.pathBytes)));
}

export function recordLength(log: Buffer, record: number): number {
  return RECORD_BYTES + log.readUInt32LE(record + FIELD.pathBytes) + log.readUInt32LE(record + FIELD.linkBytes);
}

export function createChunkBuilder(): ChunkBuilder {
  const columns = COLUMN_LIST.map(({ width }) => Buffer.alloc(width * CHUNK_ENTRIES));
  const paths = createText();
  const links = createText();
  let count = 0;
  let firstBytes = 0;
  let lastBytes = 0;

  return {
    get count() {
      return count;
    },
    get isFull() {
      return count === CHUNK_ENTRIES || paths.bytes + links.bytes >= CHUNK_TEXT_BYTES;
    },
    last: () => (count === 0 ? undefined : paths.view(paths.bytes - lastBytes)),
    add(log, record, path) {
      for (const [at, { width, logged }] of COLUMN_LIST.entries()) {
        const column = columns[at];
        if (column === undefined) continue;
        const from = record + logged;
        if (width === 4) column.writeUInt32LE(log.readUInt32LE(from), count * 4);
        else log.copy(column, count * width, from, from + width);
      }
      columns[COLUMNS.pathBytes.place]?.writeUInt32LE(path.length, count * 4);
      const link = record + RECORD_BYTES + log.readUInt32LE(record + FIELD.pathBytes);
      paths.add(path);
      links.add(log.subarray(link, link + log.readUInt32LE(record + FIELD.linkBytes)));
      if (count === 0) firstBytes = path.length;
      lastBytes = path.length;
      count += 1;
    },
    take() {
      const raw = Buffer.allocUnsafe(4 + count * ENTRY_BYTES + paths.bytes + links.bytes);
      raw.writeUInt32LE(count, 0);
      let at = 4;
      for (const [place, { width }] of COLUMN_LIST.entries())
        at += columns[place]?.copy(raw, at, 0, count * width) ?? 0;
      const pathsAt = at;
      raw.set(paths.view(0), at);
      raw.set(links.view(0), at + paths.bytes);
      const first = Buffer.from(raw.subarray(pathsAt, pathsAt + firstBytes));
      const taken = { raw, count, first };
      count = 0;
      paths.clear();
      links.clear();
      return taken;
    },
  };
}

interface Text {
  readonly bytes: number;
  add(piece: Uint8Array): void;
  view(from: number): Uint8Array;
  clear(): void;
}

function createText(): Text {
  let buffer = new Uint8Array(2 * CHUNK_TEXT_BYTES);
  let used = 0;
  return {
    get bytes() {
      return used;
    },
    add(piece) {
      if (used + piece.length > buffer.length) {
        const larger = new Uint8Array(Math.max(buffer.length * 2, used + piece.length));
        larger.set(buffer.subarray(0, used));
        buffer = larger;
      }
      buffer.set(piece, used);
      used += piece.length;
    },
    view: (from) => buffer.subarray(from, used),
    clear() {
      used = 0;
    },
  };
}
