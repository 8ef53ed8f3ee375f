import { constants, fstatSync, readFileSync } from "node:fs";
import os from "node:os";
import { loadNativeLibrary, type NativeLibrary } from "../../lib/native-library.ts";
import { createNativeName } from "../../lib/native-name.ts";
import { NEW_FILE_FLAGS, NEW_FILE_MODE, nodeRestoreCalls, type RestoreCalls } from "./restore-calls.ts";

/** Linux, on the architectures below; Node does not name them. */
const O_CLOEXEC = 0o2000000;
const AT_SYMLINK_NOFOLLOW = 0x100;
const UTIME_NOW = 0x3fffffffn;
/** Where the layouts that are used here hold: 64 bits, little-endian. */
const ARCHITECTURES: ReadonlySet<string> = new Set(["x64", "arm64"]);
const MOST_ID = 0xfffffffe;
const NS_PER_SECOND = 1_000_000_000n;

/**
 * The calls straight to libc: half of the CPU time of Node's, names are looked up in the open folder itself and not below
 * `/proc`, and times are exact to the nanosecond. Node's, where libc can't be called or does not give what Node gives.
 */
export async function loadRestoreCalls(): Promise<RestoreCalls> {
  if (!ARCHITECTURES.has(process.arch) || os.endianness() !== "LE") return nodeRestoreCalls;
  try {
    const libc = await loadNativeLibrary(undefined);
    const calls = createCalls(libc);
    return givesTheSame(libc, calls) ? calls : nodeRestoreCalls;
  } catch {
    // No native package, another libc, or a sandbox that forbids a call: Node's own calls do nearly the same.
    return nodeRestoreCalls;
  }
}

/** Whatever fails is tried again through Node, which then throws its error, or succeeds. */
function createCalls(libc: NativeLibrary): RestoreCalls {
  const openat = libc.call("openat", "int", ["int", "uintptr_t", "int", "uint"]);
  const write = libc.call("write", "int64_t", ["int", "uintptr_t", "size_t"]);
  const fchown = libc.call("fchown", "int", ["int", "uint", "uint"]);
  const fchmod = libc.call("fchmod", "int", ["int", "uint"]);
  const futimens = libc.call("futimens", "int", ["int", "uintptr_t"]);
  const utimensat = libc.call("utimensat", "int", ["int", "uintptr_t", "uintptr_t", "int"]);

  const { address: nameAddress, put: putName } = createNativeName((buffer) => libc.addressOf(buffer));
  /** Two `struct timespec`: access, modification. */
  const times = new BigInt64Array(new ArrayBuffer(32));
  const timesAddress = libc.addressOf(times.buffer);
  times[1] = UTIME_NOW;
  let source: ArrayBufferLike | undefined;
  let sourceAddress = 0;

  const putTime = (mtimeNs: bigint): void => {
    let seconds = mtimeNs / NS_PER_SECOND;
    if (seconds * NS_PER_SECOND > mtimeNs) seconds -= 1n;
    times[2] = seconds;
    times[3] = mtimeNs - seconds * NS_PER_SECOND;
  };
  return {
    by: "libc",
    createFile(folder, text) {
      const fd = putName(text) ? openat(folder.fd, nameAddress, NEW_FILE_FLAGS | O_CLOEXEC, NEW_FILE_MODE) : -1;
      return fd < 0 ? nodeRestoreCalls.createFile(folder, text) : fd;
    },
    write(fd, bytes) {
      // The pieces of a block's files share its memory.
      if (bytes.buffer !== source) {
        source = bytes.buffer;
        sourceAddress = libc.addressOf(source);
      }
      const start = sourceAddress + bytes.byteOffset;
      for (let at = 0; at < bytes.length;) {
        const written = write(fd, start + at, bytes.length - at);
        if (written < 0) return nodeRestoreCalls.write(fd, bytes.subarray(at));
        at += written;
      }
    },
    setOwner(fd, uid, gid) {
      // C would cut off what is too large.
      const fits = uid >= 0 && uid <= MOST_ID && gid >= 0 && gid <= MOST_ID;
      if (!fits || fchown(fd, uid, gid) !== 0) nodeRestoreCalls.setOwner(fd, uid, gid);
    },
    setMode(fd, mode) {
      if (fchmod(fd, mode) !== 0) nodeRestoreCalls.setMode(fd, mode);
    },
    setTime(fd, mtimeNs) {
      putTime(mtimeNs);
      if (futimens(fd, timesAddress) !== 0) nodeRestoreCalls.setTime(fd, mtimeNs);
    },
    setTimeOf(folder, text, mtimeNs) {
      putTime(mtimeNs);
      const done = putName(text) ? utimensat(folder.fd, nameAddress, timesAddress, AT_SYMLINK_NOFOLLOW) : -1;
      if (done !== 0) nodeRestoreCalls.setTimeOf(folder, text, mtimeNs);
    },
    // A failed close (a full network file system) has closed all the same: it can't be tried again for its error.
    close: nodeRestoreCalls.close,
  };
}

/** Tries the calls on a file in memory, which needs no folder. */
function givesTheSame(libc: NativeLibrary, calls: RestoreCalls): boolean {
  const name = new Uint8Array([0x61, 0]);
  const fd = libc.call("memfd_create", "int", ["uintptr_t", "uint"])(libc.addressOf(name.buffer), 1);
  if (fd < 0) return false;
  try {
    const { uid, gid } = fstatSync(fd);
    calls.write(fd, Buffer.from("xabc").subarray(1));
    calls.setOwner(fd, uid, gid);
    calls.setMode(fd, 0o4640);
    calls.setTime(fd, -1n);
    const stat = fstatSync(fd, { bigint: true });
    return (
      readFileSync(`/proc/self/fd/${fd}`, "latin1") === "abc" &&
      stat.mtimeNs === -1n &&
      Number(stat.uid) === uid &&
      (Number(stat.mode) & (constants.S_IFMT | 0o7777)) === (constants.S_IFREG | 0o4640)
    );
  } finally {
    calls.close(fd);
  }
}
