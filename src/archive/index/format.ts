import { FIELD } from "../write/entry-log.ts";

/** Numbers and bounds of the index format, version 1, as `docs/archive-format.md` specifies it. */

/** At the very beginning and the very end; the last byte is the version. */
export const MAGIC = Buffer.from("LBINDEX\u0001", "latin1");
export const TRAILER_BYTES = 80;

/** Offsets in the trailer. */
export const TRAILER = {
  directoryOffset: 0,
  directoryStoredBytes: 8,
  directoryRawBytes: 12,
  directorySha256: 16,
  indexBytes: 48,
  crc32: 64,
  magic: 72,
} as const;

/** An entry chunk's columns of fixed width in their order; the rest of the chunk is paths, then link targets. */
export const COLUMNS = {
  pathBytes: { place: 0, width: 4, logged: FIELD.pathBytes },
  linkBytes: { place: 1, width: 4, logged: FIELD.linkBytes },
  block: { place: 2, width: 4, logged: FIELD.block },
  offset: { place: 3, width: 4, logged: FIELD.offset },
  headerBytes: { place: 4, width: 4, logged: FIELD.headerBytes },
  uid: { place: 5, width: 4, logged: FIELD.uid },
  gid: { place: 6, width: 4, logged: FIELD.gid },
  mode: { place: 7, width: 2, logged: FIELD.mode },
  type: { place: 8, width: 1, logged: FIELD.type },
  size: { place: 9, width: 8, logged: FIELD.size },
  mtime: { place: 10, width: 8, logged: FIELD.mtime },
  ctime: { place: 11, width: 8, logged: FIELD.ctime },
  inode: { place: 12, width: 8, logged: FIELD.inode },
  device: { place: 13, width: 8, logged: FIELD.device },
} as const;

export type Column = keyof typeof COLUMNS;

/** Bytes of all columns for one entry. */
export const ENTRY_BYTES = Object.values(COLUMNS).reduce((sum, { width }) => sum + width, 0);

/** What a chunk is closed at. One entry alone may make it larger. */
export const CHUNK_ENTRIES = 2048;
export const CHUNK_TEXT_BYTES = 192 * 1024;
export const CHUNK_BLOCKS = 1024;

/** Bytes of one block's row: raw size, stored size, SHA-256. */
export const BLOCK_ROW_BYTES = 40;

/** How much of a chunk's first path its directory record keeps. */
export const KEY_BYTES = 256;

/** What a reader accepts. Whoever can write to a store can write an index: none of this may exhaust a reader. */
export const MOST = {
  directoryBytes: 16 * 1024 * 1024,
  chunkBytes: 4 * 1024 * 1024,
  blockBytes: 16 * 1024 * 1024,
  factsBytes: 64 * 1024,
  headerBytes: 2 * 1024 * 1024,
} as const;

/** What a piece of at most `rawBytes` may take compressed. */
export function mostStoredBytes(rawBytes: number): number {
  return rawBytes + (rawBytes >> 7) + 1024;
}

/** What the index says of its archive, as JSON in the directory. */
export interface IndexFacts {
  readonly archive: { readonly name: string; readonly sizeBytes: number; readonly sha256: string };
  readonly blocks: { readonly count: number; readonly rawBytes: number; readonly sha256: string };
  readonly entries: number;
  /** Blocks of two archives are equal where their content is and these are. */
  readonly cutRule: Readonly<Record<string, number>>;
  readonly compression: "gz" | "zst" | "none";
  readonly compressor: string;
  readonly level: string;
  readonly lifeboat: string;
}

/** The index is not what it should be; the message completes "the index …". */
export class IndexFault extends Error {}
