import { printablePath } from "../../lib/printable.ts";
import type { ArchiveEntry, EntryType } from "./entry.ts";
import {
  HeaderFault,
  parseHeader,
  parsePaxRecords,
  paxNumber,
  paxTimeNs,
  untilNul,
  type RawHeader,
} from "./read-headers.ts";
import { gnuSparse, paxSparse, type SparseMap } from "./read-sparse.ts";

/** What follows a header block: the content of an extension, or an entry whose content takes `storedBytes`. */
export type HeaderStep =
  | { readonly kind: "extension"; readonly sizeBytes: number }
  | {
      readonly kind: "entry";
      readonly entry: ArchiveEntry;
      readonly storedBytes: number;
      /** Of a file that is stored without its holes. */
      readonly sparse?: SparseMap;
    };

export interface EntryAssembler {
  /** @throws HeaderFault */
  takeHeader(block: Buffer): HeaderStep;
  /** @throws HeaderFault */
  takeExtension(content: Buffer): void;
  /** An extension waits for its entry. */
  isPending(): boolean;
}

/** No name, and no set of PAX records, of any archive in its right mind is longer. */
const MOST_EXTENSION_BYTES = 8 * 1024 * 1024;

/** What describes the next entry (`X` is Solaris' `x`), with `g` all that follow, or with `V` (a label) the archive. */
const EXTENSION_FLAGS = "xXgLKV";

const TYPES: Readonly<Record<string, EntryType>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  // GNU tar's, with holes.
  S: "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character-device",
  "4": "block-device",
  "5": "directory",
  // GNU tar's, in an incremental archive: its content says which names the folder had.
  D: "directory",
  "6": "fifo",
};

const WITHOUT_CONTENT = "123456";

const UNSUPPORTED: Readonly<Record<string, string>> = {
  M: "a piece of a multi-volume archive",
  N: "a list of long names in the oldest GNU format",
  A: "an access control list",
};

/** Puts headers and their extensions together: PAX (`x`, `g`) over GNU long names (`L`, `K`) over the header itself. */
export function createEntryAssembler(): EntryAssembler {
  const shared = new Map<string, Buffer>();
  let own = new Map<string, Buffer>();
  let extensionFlag = "";

  return {
    isPending: () => own.size > 0,
    takeHeader(block) {
      const header = parseHeader(block);
      if (EXTENSION_FLAGS.includes(header.typeflag)) {
        if (header.sizeBytes < 0 || header.sizeBytes > MOST_EXTENSION_BYTES) {
          throw new HeaderFault(`an extended header claims ${header.sizeBytes} bytes`);
        }
        extensionFlag = header.typeflag;
        return { kind: "extension", sizeBytes: header.sizeBytes };
      }
      const step = toEntry(
        block,
        header,
        shared.size === 0 ? withValues(own) : withValues(new Map([...shared, ...own])),
      );
      own = new Map();
      return step;
    },
    takeExtension(content) {
      if (extensionFlag === "L") own.set("GNU.longname", untilNul(content));
      else if (extensionFlag === "K") own.set("GNU.longlink", untilNul(content));
      else if (extensionFlag !== "V") {
        const target = extensionFlag === "g" ? shared : own;
        for (const [key, value] of parsePaxRecords(content)) {
          target.set(key, value);
        }
      }
    },
  };
}

/** An empty value takes back what was said before. */
function withValues(records: ReadonlyMap<string, Buffer>): ReadonlyMap<string, Buffer> {
  for (const value of records.values()) {
    if (value.length === 0) return new Map([...records].filter((record) => record[1].length > 0));
  }
  return records;
}

function toEntry(block: Buffer, header: RawHeader, records: ReadonlyMap<string, Buffer>): HeaderStep {
  const holes = header.typeflag === "S" ? gnuSparse(block) : paxSparse(records);
  const pathBytes = holes?.name ?? records.get("path") ?? records.get("GNU.longname") ?? header.name;
  const linkBytes = records.get("linkpath") ?? records.get("GNU.longlink") ?? header.linkName;
  const mtime = records.get("mtime");
  const mtimeNs = (mtime && paxTimeNs(mtime)) ?? BigInt(header.mtimeSeconds) * 1_000_000_000n;
  const { type, typeName } = typeOf(header, pathBytes, records);
  const statedBytes = numberOf(records, "size") ?? header.sizeBytes;
  if (statedBytes < 0) throw new HeaderFault(`a header claims ${statedBytes} bytes`);
  // Links, devices and folders have no content, whatever size their header gives (POSIX; old programs give a link its file's).
  const storedBytes = WITHOUT_CONTENT.includes(header.typeflag) ? 0 : statedBytes;
  const isLink = type === "symlink" || type === "hardlink";
  const entry: ArchiveEntry = {
    path: printablePath(withoutFinalSlash(pathBytes)),
    pathBytes,
    type,
    ...(typeName === undefined ? {} : { typeName }),
    sizeBytes: type === "file" ? (holes?.sizeBytes ?? statedBytes) : 0,
    mtimeMs: Number(mtimeNs / 1_000_000n),
    mtimeNs,
    mode: header.mode,
    uid: numberOf(records, "uid") ?? header.uid,
    gid: numberOf(records, "gid") ?? header.gid,
    ...(isLink ? { linkPath: printablePath(linkBytes), linkBytes } : {}),
    ...(type === "character-device" || type === "block-device" ? { device: header.device } : {}),
  };
  return {
    kind: "entry",
    entry,
    storedBytes,
    ...(holes === undefined || type !== "file" ? {} : { sparse: holes.map }),
  };
}

function typeOf(
  { typeflag }: RawHeader,
  pathBytes: Buffer,
  records: ReadonlyMap<string, Buffer>,
): { type: EntryType; typeName?: string } {
  const type = TYPES[typeflag];
  if (type === undefined) {
    return {
      type: "unsupported",
      typeName: UNSUPPORTED[typeflag] ?? `an entry of unknown type ${JSON.stringify(typeflag)}`,
    };
  }
  if (type !== "file") return { type };
  if (records.has("SCHILY.realsize")) return { type: "unsupported", typeName: "a sparse file in a format of star's" };
  // Before POSIX a folder was a file whose name ends in a slash.
  return pathBytes.at(-1) === 0x2f ? { type: "directory" } : { type };
}

function numberOf(records: ReadonlyMap<string, Buffer>, key: string): number | undefined {
  const value = records.get(key);
  return value === undefined ? undefined : paxNumber(value);
}

function withoutFinalSlash(path: Buffer): Buffer {
  let end = path.length;
  while (end > 1 && path[end - 1] === 0x2f) end -= 1;
  return path.subarray(0, end);
}
