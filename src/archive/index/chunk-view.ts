import { FIELD, LOGGED_TYPES, RECORD_BYTES } from "../write/entry-log.ts";
import type { TarType } from "../write/header-fields.ts";
import { COLUMNS, ENTRY_BYTES, IndexFault, MOST, type Column } from "./format.ts";
import { comparePaths } from "../path-order.ts";

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** One entry as the index knows it. */
export interface IndexEntry {
  /** See path-order.ts; so is the order. */
  readonly path: Buffer;
  readonly type: TarType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly inode: bigint;
  readonly device: bigint;
  /** Target of a symbolic or hard link as its header has it, else empty. */
  readonly link: Buffer;
  /** Where its first header begins: the block's number, and the offset in the block's tar data. */
  readonly block: number;
  readonly offset: number;
  /** Of all its headers; the content follows. */
  readonly headerBytes: number;
}

/** A decompressed chunk of entries; entries are made only when asked for. */
export interface ChunkView {
  readonly count: number;
  path(at: number): Buffer;
  /** @throws IndexFault for values that make no sense */
  entry(at: number): IndexEntry;
  /** The entry as a record of the entry log. */
  record(at: number): Buffer;
}

/** @throws IndexFault for a chunk whose parts don't add up or whose paths are not in order */
export function viewChunk(raw: Buffer): ChunkView {
  if (raw.length < 4) throw new IndexFault("has a chunk without content");
  const count = raw.readUInt32LE(0);
  const textAt = 4 + count * ENTRY_BYTES;
  if (count === 0 || textAt > raw.length) throw new IndexFault("has a chunk that is too short for its entries");
  const starts = new Map<Column, number>();
  let start = 4;
  for (const [name, { width }] of Object.entries(COLUMNS) as [Column, { width: number }][]) {
    starts.set(name, start);
    start += width * count;
  }
  const at = (column: Column, index: number): number => (starts.get(column) ?? 0) + COLUMNS[column].width * index;
  const u32 = (column: Column, index: number): number => raw.readUInt32LE(at(column, index));

  const pathEnds = new Uint32Array(count + 1);
  const linkEnds = new Uint32Array(count + 1);
  pathEnds[0] = textAt;
  for (let index = 0; index < count; index += 1) {
    const end = (pathEnds[index] ?? 0) + u32("pathBytes", index);
    if (end > raw.length) throw new IndexFault("has a chunk whose paths are longer than itself");
    pathEnds[index + 1] = end;
  }
  linkEnds[0] = pathEnds[count] ?? 0;
  for (let index = 0; index < count; index += 1) {
    const end = (linkEnds[index] ?? 0) + u32("linkBytes", index);
    if (end > raw.length) throw new IndexFault("has a chunk whose links are longer than itself");
    linkEnds[index + 1] = end;
  }
  if (linkEnds[count] !== raw.length) throw new IndexFault("has a chunk with something at its end");

  const path = (index: number): Buffer => raw.subarray(pathEnds[index], pathEnds[index + 1]);
  const link = (index: number): Buffer => raw.subarray(linkEnds[index], linkEnds[index + 1]);
  for (let index = 1; index < count; index += 1) {
    if (comparePaths(path(index - 1), path(index)) > 0) throw new IndexFault("is not in order");
  }
  return {
    count,
    path,
    entry(index) {
      const type = LOGGED_TYPES[raw[at("type", index)] ?? 255];
      const size = raw.readBigUInt64LE(at("size", index));
      const headerBytes = u32("headerBytes", index);
      const offset = u32("offset", index);
      if (type === undefined || size > MAX_SAFE || (type !== "file" && size > 0n)) {
        throw new IndexFault("has an entry of no known kind or size");
      }
      if (headerBytes < 512 || headerBytes % 512 !== 0 || headerBytes > MOST.headerBytes || offset % 512 !== 0) {
        throw new IndexFault("has an entry in a place that can't be");
      }
      return {
        path: path(index),
        type,
        mode: raw.readUInt16LE(at("mode", index)) & 0o7777,
        uid: u32("uid", index),
        gid: u32("gid", index),
        sizeBytes: Number(size),
        mtimeNs: raw.readBigInt64LE(at("mtime", index)),
        ctimeNs: raw.readBigInt64LE(at("ctime", index)),
        inode: raw.readBigUInt64LE(at("inode", index)),
        device: raw.readBigUInt64LE(at("device", index)),
        link: link(index),
        block: u32("block", index),
        offset,
        headerBytes,
      };
    },
    record(index) {
      const record = Buffer.alloc(RECORD_BYTES + path(index).length + link(index).length);
      for (const [name, { width, logged }] of Object.entries(COLUMNS) as [
        Column,
        { width: number; logged: number },
      ][]) {
        raw.copy(record, logged, at(name, index), at(name, index) + width);
      }
      record.writeUInt32LE(path(index).length, FIELD.pathBytes);
      record.set(path(index), RECORD_BYTES);
      record.set(link(index), RECORD_BYTES + path(index).length);
      return record;
    },
  };
}
