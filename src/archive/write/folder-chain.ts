import type { FileCalls } from "./file-calls.ts";
import type { FileId } from "./file-stat.ts";
import { FileStat, fileIdOf, isSameFile } from "./file-stat.ts";

/** Descriptors kept for the folders between the source and the current one. */
const MOST_OPEN = 64;

interface Link {
  readonly name: string;
  readonly id: FileId;
  fd: number | undefined;
}

/** The open folders from the source down to the current one; of a deep chain only the lower end is kept open. */
export interface FolderChain {
  /** Takes over `fd`. `name` is the folder's name in the one above; `id` is the open folder's own. */
  push(name: string, fd: number, id: FileId): void;
  pop(): void;
  /** The descriptor of the lowest folder; undefined where it can't be found again by its path. */
  current(): number | undefined;
  closeAll(): void;
}

export function createFolderChain(calls: FileCalls): FolderChain {
  const stat = new FileStat();
  const links: Link[] = [];
  const close = (link: Link): void => {
    if (link.fd !== undefined) calls.close(link.fd);
    link.fd = undefined;
  };

  /** Opens a folder and keeps it only if it is the one that was seen before. */
  const openIfSame = (parentFd: number, name: string, expected: FileId): number | undefined => {
    let fd: number | undefined;
    try {
      fd = calls.openFolder(parentFd, name);
      calls.statOpen(fd, stat);
      if (isSameFile(stat, expected)) return fd;
    } catch {
      // Moved, removed or no longer accessible: the caller says so, once for the whole folder.
    }
    if (fd !== undefined) calls.close(fd);
    return undefined;
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
      const next: number | undefined = link === undefined ? undefined : openIfSame(fd, link.name, link.id);
      if (!borrowed) calls.close(fd);
      borrowed = false;
      fd = next;
    }
    return fd;
  };

  return {
    push(name, fd, id) {
      links.push({ name, id: fileIdOf(id), fd });
      const tooFar = links.length - 1 - MOST_OPEN;
      const link = links[tooFar];
      if (tooFar > 0 && link !== undefined) close(link);
    },
    pop() {
      const left = links.pop();
      const parent = links.at(-1);
      if (left === undefined) return;
      if (parent !== undefined && parent.fd === undefined && left.fd !== undefined) {
        parent.fd = openIfSame(left.fd, "..", parent.id);
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
