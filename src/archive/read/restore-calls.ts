import { closeSync, constants, fchmodSync, fchownSync, futimesSync, lutimesSync, openSync, writeSync } from "node:fs";
import type { Folder } from "./extract-folders.ts";
import { utimesText } from "./utimes-text.ts";

/** The system calls that a restore makes for every file, all synchronous. They throw Node's errors. */
export interface RestoreCalls {
  /** `libc` or `node`: who makes the calls. */
  readonly by: string;
  /** A new file for writing, its owner's alone. Throws `EEXIST` where anything has that name. */
  createFile(folder: Folder, name: string): number;
  /** All of it, behind what was written before. */
  write(fd: number, bytes: Buffer): void;
  setOwner(fd: number, uid: number, gid: number): void;
  setMode(fd: number, mode: number): void;
  /** Of modification; the time of access becomes now. */
  setTime(fd: number, mtimeNs: bigint): void;
  /** The same for what can't be opened; a link is not followed. */
  setTimeOf(folder: Folder, name: string, mtimeNs: bigint): void;
  close(fd: number): void;
}

export const NEW_FILE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
export const NEW_FILE_MODE = 0o600;

/** Times to the microsecond: Node sets no finer ones. */
export const nodeRestoreCalls: RestoreCalls = {
  by: "node",
  createFile: (folder, name) => openSync(folder.at(name), NEW_FILE_FLAGS, NEW_FILE_MODE),
  write(fd, bytes) {
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
  },
  setOwner: fchownSync,
  setMode: fchmodSync,
  setTime: (fd, mtimeNs) => futimesSync(fd, Date.now() / 1000, utimesText(mtimeNs)),
  setTimeOf: (folder, name, mtimeNs) => lutimesSync(folder.at(name), Date.now() / 1000, utimesText(mtimeNs)),
  close: closeSync,
};
