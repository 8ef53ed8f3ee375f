import { closeSync, constants, fstatSync, openSync } from "node:fs";
import type { BigIntStats } from "node:fs";
import { asFsPath } from "./byte-strings.ts";

/** Linux; Node does not name it. Such a descriptor only stands for a place, so it needs no permission to read. */
const O_PATH = 0o10000000;
const FOLDER_FLAGS = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Descriptors kept for the folders between the source and the current one. */
const MOST_OPEN = 64;

/** Opens one folder by its name in an open one; never follows a link. Throws the system's error. */
export function openFolder(parentFd: number, name: string): number {
  return openSync(below(parentFd, name), FOLDER_FLAGS);
}

/** The folder that holds a source; links on the way to it are the administrator's and followed. */
export function openParentOfSource(path: string): number {
  return openSync(asFsPath(path), O_PATH | constants.O_DIRECTORY);
}

/**
 * A path that means `name` in the folder that `fd` stands for, wherever that folder is moved and whatever its old path
 * leads to by now. It is short however deep the folder lies.
 */
export function below(fd: number, name: string): string | Buffer {
  return asFsPath(`/proc/self/fd/${fd}/${name}`);
}

/** Closes what was only read: network file systems may report an error here that concerns nobody. */
export function closeRead(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // The descriptor is gone either way.
  }
}

interface Link {
  readonly name: string;
  readonly dev: bigint;
  readonly ino: bigint;
  fd: number | undefined;
}

/** The open folders from the source down to the current one; of a deep chain only the lower end is kept open. */
export interface FolderChain {
  /** Takes over `fd`. `name` is the folder's name in the one above; `stat` is the open folder's own. */
  push(name: string, fd: number, stat: BigIntStats): void;
  pop(): void;
  /** The descriptor of the lowest folder; undefined where it can't be found again by its path. */
  current(): number | undefined;
  closeAll(): void;
}

export function createFolderChain(): FolderChain {
  const links: Link[] = [];
  const close = (link: Link): void => {
    if (link.fd !== undefined) closeRead(link.fd);
    link.fd = undefined;
  };

  /** Down again from the nearest folder that is open (the first always is), checking each on the way. */
  const reopen = (target: number): number | undefined => {
    let at = target;
    while (at > 0 && links[at]?.fd === undefined) at -= 1;
    let fd = links[at]?.fd;
    let borrowed = true;
    while (fd !== undefined && at < target) {
      at += 1;
      const link = links[at];
      const next: number | undefined = link === undefined ? undefined : openIfSame(below(fd, link.name), link);
      if (!borrowed) closeRead(fd);
      borrowed = false;
      fd = next;
    }
    return fd;
  };

  return {
    push(name, fd, stat) {
      links.push({ name, dev: stat.dev, ino: stat.ino, fd });
      const tooFar = links.length - 1 - MOST_OPEN;
      const link = links[tooFar];
      if (tooFar > 0 && link !== undefined) close(link);
    },
    pop() {
      const left = links.pop();
      const parent = links.at(-1);
      if (left === undefined) return;
      if (parent !== undefined && parent.fd === undefined && left.fd !== undefined) {
        parent.fd = openIfSame(below(left.fd, ".."), parent);
      }
      close(left);
    },
    current() {
      const last = links.at(-1);
      if (last === undefined) return undefined;
      last.fd ??= reopen(links.length - 1);
      return last.fd;
    },
    closeAll() {
      links.forEach(close);
      links.length = 0;
    },
  };
}

/** Opens a folder and keeps it only if it is the one that was seen before. */
function openIfSame(path: string | Buffer, expected: { dev: bigint; ino: bigint }): number | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, FOLDER_FLAGS);
    const stat = fstatSync(fd, { bigint: true });
    if (stat.dev === expected.dev && stat.ino === expected.ino) return fd;
  } catch {
    // Moved, removed or no longer accessible: the caller says so, once for the whole folder.
  }
  if (fd !== undefined) closeRead(fd);
  return undefined;
}
