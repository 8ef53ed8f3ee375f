import { constants } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { FileCalls } from "./file-calls.ts";
import { FILE_FLAGS, FOLDER_FLAGS, nodeCalls } from "./file-calls-node.ts";
import { FileStat } from "./file-stat.ts";
import { type NameStack, createNameStack } from "./name-stack.ts";
import { createNativeName } from "../../lib/native-name.ts";

/** Linux, on the architectures below; Node does not name them. */
const O_CLOEXEC = 0o2000000;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
/** The classic fields and no others; what is cached of a network file system is good enough for `stat`, too. */
const STATX_BASIC_STATS = 0x7ff;

/** Where the layouts that are used here hold: 64 bits, little-endian. */
const ARCHITECTURES: ReadonlySet<string> = new Set(["x64", "arm64"]);

/** Offsets in the kernel's `struct linux_dirent64`. */
const RECORD_LENGTH = 16;
const RECORD_TYPE = 18;
const RECORD_NAME = 19;

const LISTING_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK;
const LISTING_BYTES = 64 * 1024;

type Call = (...args: number[]) => number;

/** libc's functions, called with numbers only: addresses are numbers, too. */
interface Libc {
  readonly openat: Call;
  readonly statx: Call;
  readonly read: Call;
  readonly getdents64: Call;
  readonly close: Call;
  /** Stays the same for as long as the buffer lives. */
  addressOf(buffer: ArrayBufferLike): number;
}

/**
 * The calls straight to libc: a third of the CPU time of Node's `fs`, which makes an object, a path below `/proc` and
 * several big integers for each. Undefined where libc can't be called, or does not give what Node gives.
 */
export async function loadLibcCalls(): Promise<FileCalls | undefined> {
  if (!ARCHITECTURES.has(process.arch) || os.endianness() !== "LE") return undefined;
  try {
    const libc = await loadLibc();
    const calls = createCalls(libc);
    return givesTheSame(calls) ? calls : undefined;
  } catch {
    // No native package, another libc, or a sandbox that forbids a call: Node's own calls do the same.
    return undefined;
  }
}

async function loadLibc(): Promise<Libc> {
  const { default: koffi } = await import("koffi");
  const library = koffi.load(null);
  return {
    openat: library.func("openat", "int", ["int", "uintptr_t", "int"]) as Call,
    statx: library.func("statx", "int", ["int", "uintptr_t", "int", "uint", "uintptr_t"]) as Call,
    read: library.func("read", "int64_t", ["int", "uintptr_t", "size_t"]) as Call,
    getdents64: library.func("getdents64", "int64_t", ["int", "uintptr_t", "size_t"]) as Call,
    close: library.func("close", "int", ["int"]) as Call,
    addressOf: (buffer) => Number(koffi.address(buffer)),
  };
}

/** Whatever fails is tried again through Node, which then throws its error, or succeeds. */
function createCalls(libc: Libc): FileCalls {
  const { address: nameAddress, put: putName } = createNativeName((buffer) => libc.addressOf(buffer));
  const listing = Buffer.from(new ArrayBuffer(LISTING_BYTES));
  const listingAddress = libc.addressOf(listing.buffer);
  let target: Buffer | undefined;
  let targetAddress = 0;

  const statAddresses = new WeakMap<FileStat, number>();
  const statAddress = (stat: FileStat): number => {
    let address = statAddresses.get(stat);
    if (address === undefined) statAddresses.set(stat, (address = libc.addressOf(stat.bytes)));
    return address;
  };
  /** A worker's Node closes at its end what it opened and has not closed itself; by then the number may be another's. */
  const openedByNode = new Set<number>();
  const nodesOwn = (fd: number): number => {
    openedByNode.add(fd);
    return fd;
  };
  /** False where it failed, maybe after some names. */
  const listOpen = (fd: number, names: NameStack): boolean => {
    while (true) {
      const bytes = libc.getdents64(fd, listingAddress, LISTING_BYTES);
      if (bytes <= 0) return bytes === 0;
      for (let at = 0; at < bytes; at += listing.readUInt16LE(at + RECORD_LENGTH)) {
        names.add(listing[at + RECORD_TYPE] ?? 0, listing, at + RECORD_NAME);
      }
    }
  };
  const open = (folder: number, flags: number): number => libc.openat(folder, nameAddress, flags | O_CLOEXEC);

  return {
    by: "libc",
    openFile(folder, text) {
      if (!putName(text)) return nodesOwn(nodeCalls.openFile(folder, text));
      let fd = open(folder, FILE_FLAGS | constants.O_NOATIME);
      // Only the owner and privileged processes may ask for it.
      if (fd < 0) fd = open(folder, FILE_FLAGS);
      return fd < 0 ? nodesOwn(nodeCalls.openFile(folder, text)) : fd;
    },
    openFolder(folder, text) {
      const fd = putName(text) ? open(folder, FOLDER_FLAGS) : -1;
      return fd < 0 ? nodesOwn(nodeCalls.openFolder(folder, text)) : fd;
    },
    openFolderByPath: (place) => nodesOwn(nodeCalls.openFolderByPath(place)),
    statOpen(fd, into) {
      putName("");
      const done = libc.statx(fd, nameAddress, AT_EMPTY_PATH, STATX_BASIC_STATS, statAddress(into));
      if (done !== 0) nodeCalls.statOpen(fd, into);
    },
    statName(folder, text, into) {
      const done = putName(text)
        ? libc.statx(folder, nameAddress, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, statAddress(into))
        : -1;
      if (done !== 0) nodeCalls.statName(folder, text, into);
    },
    read(fd, buffer, at, bytes) {
      // A buffer that was given away is empty, and must not be written to through its old address.
      if (at + bytes > buffer.length) throw new RangeError("the read does not fit into its buffer");
      if (buffer !== target) {
        target = buffer;
        targetAddress = libc.addressOf(buffer.buffer) + buffer.byteOffset;
      }
      const got = libc.read(fd, targetAddress + at, bytes);
      return got < 0 ? nodeCalls.read(fd, buffer, at, bytes) : got;
    },
    list(folder, names) {
      putName(".");
      let fd = open(folder, LISTING_FLAGS | constants.O_NOATIME);
      if (fd < 0) fd = open(folder, LISTING_FLAGS);
      const isListed = fd >= 0 && listOpen(fd, names);
      if (fd >= 0) libc.close(fd);
      if (isListed) return;
      names.pop();
      names.push();
      nodeCalls.list(folder, names);
    },
    close(fd) {
      if (openedByNode.size > 0 && openedByNode.delete(fd)) nodeCalls.close(fd);
      else libc.close(fd);
    },
  };
}

/** Tries every call on the program's own file. */
function givesTheSame(calls: FileCalls): boolean {
  const parent = calls.openFolderByPath(path.dirname(process.execPath));
  const name = path.basename(process.execPath);
  const opened: number[] = [parent];
  try {
    const [folder, file] = [calls.openFolder(parent, "."), calls.openFile(parent, name)];
    opened.push(folder, file);
    const [ours, nodes] = [new FileStat(), new FileStat()];
    const isEqual = (): boolean => STAT_FIELDS.every((field) => ours[field] === nodes[field]);
    nodeCalls.statOpen(file, nodes);
    calls.statOpen(file, ours);
    if (!isEqual()) return false;
    calls.statName(parent, name, ours);
    if (!isEqual()) return false;
    const begin = Buffer.alloc(8);
    if (calls.read(file, begin, 2, 4) !== 4 || begin.toString("latin1") !== "\0\0\x7fELF\0\0") return false;
    const names = createNameStack();
    names.push();
    calls.list(folder, names);
    for (let listed = names.next(); listed !== undefined; listed = names.next()) if (listed === name) return true;
    return false;
  } finally {
    for (const fd of opened) calls.close(fd);
  }
}

const STAT_FIELDS = [
  "mode",
  "nlink",
  "uid",
  "gid",
  "ino",
  "device",
  "sizeBytes",
  "mtimeSeconds",
  "mtimeNanoseconds",
  "ctimeSeconds",
  "ctimeNanoseconds",
  "deviceMajor",
  "deviceMinor",
] as const;
