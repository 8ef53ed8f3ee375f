import type { FileStat } from "./file-stat.ts";
import type { NameStack } from "./name-stack.ts";

/**
 * The system calls of the walk, all synchronous; names are byte strings and mean what lies in an open folder. They
 * throw Node's errors. Descriptors are for reading only.
 */
export interface FileCalls {
  /** `libc` or `node`: who makes the calls. */
  readonly by: string;
  /**
   * Opens a file for reading; never what a link leads to, and never a wait for a FIFO's other end. Its access time is
   * left alone where the system permits that.
   */
  openFile(folder: number, name: string): number;
  /**
   * Opens a folder as a place for names, for which it need not be readable; never what a link leads to. The full path
   * of a source's folder is the exception: links on the way to it are the administrator's.
   */
  openFolder(folder: number, name: string): number;
  openFolderByPath(path: string): number;
  statOpen(fd: number, into: FileStat): void;
  /** Of a link itself. */
  statName(folder: number, name: string, into: FileStat): void;
  /** Reads on from where the last read ended; gives the number of bytes, 0 at the end. */
  read(fd: number, target: Buffer, at: number, bytes: number): number;
  /** Adds what the folder holds to the top list of `names`. */
  list(fd: number, names: NameStack): void;
  /** Never throws: what was only read is gone either way, and errors, which network file systems may give, concern nobody. */
  close(fd: number): void;
}
