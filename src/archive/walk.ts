import { closeSync, readdirSync } from "node:fs";
import type { EntryVisitor, OpenedFolder } from "./visit.ts";
import { below, createFolderChain } from "./folder-chain.ts";
import type { SourceTally, Tally } from "./tally.ts";
import { causeOf } from "./visit.ts";

/** A folder on the way from the source to the current entry. */
interface Level {
  readonly path: string;
  readonly names: readonly string[];
  readonly sources: readonly SourceTally[];
  next: number;
}

/** Walks one source, folder by folder, names in byte order. Memory: the names of the folders on the current path. */
export function walkSource(root: OpenedFolder, visitor: EntryVisitor, tally: Tally): void {
  const chain = createFolderChain();
  const levels: Level[] = [];

  const enter = (folder: OpenedFolder): void => {
    let names: string[] = [];
    try {
      names = readdirSync(below(folder.fd, "."), { encoding: "latin1" });
    } catch (error) {
      tally.notice("unreadable", folder.path, `${causeOf(error)}: its content was left out`);
    }
    chain.push(folder.name, folder.fd, folder.stat);
    levels.push({ path: folder.path, names: inByteOrder(names), sources: folder.sources, next: 0 });
  };

  try {
    enter(root);
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const name = level.names[level.next];
      const parentFd = name === undefined ? undefined : chain.current();
      if (name === undefined || parentFd === undefined) {
        if (name !== undefined) tally.notice("vanished", level.path, "moved away while its content was being read");
        levels.pop();
        chain.pop();
        continue;
      }
      level.next += 1;
      const path = level.path === "/" ? `/${name}` : `${level.path}/${name}`;
      const folder = visitor.visit({ parentFd, name, path, sources: level.sources });
      if (folder !== undefined) enter(folder);
    }
  } finally {
    chain.closeAll();
  }
}

/** Closes a folder that will not be walked after all. */
export function closeFolder(folder: OpenedFolder): void {
  closeSync(folder.fd);
}

/** Most file systems' listings arrive sorted already; then no copy is made. */
function inByteOrder(names: string[]): string[] {
  for (let at = 1; at < names.length; at += 1) {
    if ((names[at - 1] ?? "") > (names[at] ?? "")) return names.sort();
  }
  return names;
}
