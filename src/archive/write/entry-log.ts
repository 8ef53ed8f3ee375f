import type { PreparedHeader } from "./headers.ts";
import type { TarType } from "./header-fields.ts";

/**
 * Stored entries on their way from the walk to the index, packed: a million of them must cost neither objects nor
 * copies. A record is `RECORD_BYTES` of little-endian numbers (offsets in `FIELD`), the path and the link's target.
 */
export interface EntryLog {
  add(header: PreparedHeader, stat: LoggedStat, at: EntryPosition): void;
  /** What was added since the last call, in memory of its own. */
  take(): Uint8Array<ArrayBuffer>;
}

/** What an entry's header does not say. */
export interface LoggedStat {
  readonly ctimeNs: bigint;
  readonly ino: bigint;
  readonly dev: bigint;
}

/** Where an entry's (first) header lies. */
export interface EntryPosition {
  readonly entryBlock: number;
  /** In the block's uncompressed bytes. */
  readonly entryOffset: number;
}

/** Offsets of a record's numbers. */
export const FIELD = {
  /** Bytes, 32 bits each: of path and link target as they are in the header. */
  pathBytes: 0,
  linkBytes: 4,
  /** 32 bits each. */
  block: 8,
  offset: 12,
  headerBytes: 16,
  uid: 20,
  gid: 24,
  /** 16 bits. */
  mode: 28,
  /** 8 bits: index into `LOGGED_TYPES`. */
  type: 30,
  /** 64 bits each; times in nanoseconds, signed. */
  size: 32,
  mtime: 40,
  ctime: 48,
  inode: 56,
  device: 64,
} as const;

export const RECORD_BYTES = 72;

export const LOGGED_TYPES: readonly TarType[] = [
  "file",
  "hardlink",
  "symlink",
  "character-device",
  "block-device",
  "directory",
  "fifo",
];

const FIRST_CAPACITY_BYTES = 64 * 1024;

export function createEntryLog(): EntryLog {
  let buffer = Buffer.allocUnsafeSlow(FIRST_CAPACITY_BYTES);
  let used = 0;

  const makeRoom = (bytes: number): void => {
    if (used + bytes <= buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(buffer.length * 2, used + bytes));
    buffer.copy(larger, 0, 0, used);
    buffer = larger;
  };

  return {
    add({ entry, bytes }, stat, { entryBlock, entryOffset }) {
      const { path, linkPath } = entry;
      makeRoom(RECORD_BYTES + path.length + linkPath.length);
      buffer.writeUInt32LE(path.length, used + FIELD.pathBytes);
      buffer.writeUInt32LE(linkPath.length, used + FIELD.linkBytes);
      buffer.writeUInt32LE(entryBlock, used + FIELD.block);
      buffer.writeUInt32LE(entryOffset, used + FIELD.offset);
      buffer.writeUInt32LE(bytes, used + FIELD.headerBytes);
      buffer.writeUInt32LE(entry.uid, used + FIELD.uid);
      buffer.writeUInt32LE(entry.gid, used + FIELD.gid);
      buffer.writeUInt16LE(entry.mode, used + FIELD.mode);
      buffer.writeUInt16LE(LOGGED_TYPES.indexOf(entry.type), used + FIELD.type);
      buffer.writeBigUInt64LE(BigInt(entry.sizeBytes), used + FIELD.size);
      buffer.writeBigInt64LE(clamped(entry.mtimeNs), used + FIELD.mtime);
      buffer.writeBigInt64LE(clamped(stat.ctimeNs), used + FIELD.ctime);
      buffer.writeBigUInt64LE(BigInt.asUintN(64, stat.ino), used + FIELD.inode);
      buffer.writeBigUInt64LE(BigInt.asUintN(64, stat.dev), used + FIELD.device);
      buffer.write(path, used + RECORD_BYTES, "latin1");
      buffer.write(linkPath, used + RECORD_BYTES + path.length, "latin1");
      used += RECORD_BYTES + path.length + linkPath.length;
    },
    take() {
      const taken = new Uint8Array(used);
      taken.set(buffer.subarray(0, used));
      used = 0;
      return taken;
    },
  };
}

const LATEST_NS = 2n ** 63n - 1n;

/** Some file systems keep times beyond the year 2262, or before 1677. */
function clamped(ns: bigint): bigint {
  if (ns > LATEST_NS) return LATEST_NS;
  return ns < -LATEST_NS ? -LATEST_NS : ns;
}
