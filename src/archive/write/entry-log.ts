import type { PreparedHeader } from "./headers.ts";
import type { FileId } from "./file-stat.ts";
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
export interface LoggedStat extends FileId {
  readonly ctimeSeconds: number;
  readonly ctimeNanoseconds: number;
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
  let numbers = new DataView(buffer.buffer);
  let used = 0;

  const makeRoom = (bytes: number): void => {
    if (used + bytes <= buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(buffer.length * 2, used + bytes));
    buffer.copy(larger, 0, 0, used);
    buffer = larger;
    numbers = new DataView(buffer.buffer);
  };

  return {
    // Called for every entry: numbers and a view of them make no garbage.
    add({ entry, bytes }, stat, { entryBlock, entryOffset }) {
      const { path, linkPath } = entry;
      makeRoom(RECORD_BYTES + path.length + linkPath.length);
      numbers.setUint32(used + FIELD.pathBytes, path.length, true);
      numbers.setUint32(used + FIELD.linkBytes, linkPath.length, true);
      numbers.setUint32(used + FIELD.block, entryBlock, true);
      numbers.setUint32(used + FIELD.offset, entryOffset, true);
      numbers.setUint32(used + FIELD.headerBytes, bytes, true);
      numbers.setUint32(used + FIELD.uid, entry.uid, true);
      numbers.setUint32(used + FIELD.gid, entry.gid, true);
      numbers.setUint16(used + FIELD.mode, entry.mode, true);
      numbers.setUint16(used + FIELD.type, LOGGED_TYPES.indexOf(entry.type), true);
      numbers.setUint32(used + FIELD.size, entry.sizeBytes, true);
      numbers.setUint32(used + FIELD.size + 4, entry.sizeBytes / 2 ** 32, true);
      numbers.setBigInt64(used + FIELD.mtime, nanoseconds(entry.mtimeSeconds, entry.mtimeNanoseconds), true);
      numbers.setBigInt64(used + FIELD.ctime, nanoseconds(stat.ctimeSeconds, stat.ctimeNanoseconds), true);
      numbers.setUint32(used + FIELD.inode, stat.inodeLow, true);
      numbers.setUint32(used + FIELD.inode + 4, stat.inodeHigh, true);
      numbers.setUint32(used + FIELD.device, stat.device, true);
      numbers.setUint32(used + FIELD.device + 4, 0, true);
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

/** Some file systems keep times beyond the year 2262, or before 1677, which 64 bits can't say. */
const MOST_SECONDS = 9_223_372_035;

function nanoseconds(seconds: number, fraction: number): bigint {
  if (seconds > MOST_SECONDS) return LATEST_NS;
  if (seconds < -MOST_SECONDS) return -LATEST_NS;
  return BigInt.asIntN(64, BigInt(seconds) * 1_000_000_000n + BigInt(fraction));
}

const LATEST_NS = 2n ** 63n - 1n;
