import type { FileId } from "./file-stat.ts";

/** Finds the entry that already holds the content of a file with several names. */
export interface HardLinks {
  /** Entry path of the name that was stored first, if there was one. */
  stored(stat: LinkStat): string | undefined;
  remember(stat: LinkStat, entryPath: string): void;
}

interface LinkStat extends FileId {
  readonly nlink: number;
}

/** Memory: one path for each file whose other names have not all been met yet. */
export function createHardLinks(): HardLinks {
  const open = new Map<string, { readonly path: string; left: number }>();
  return {
    stored(stat) {
      const key = keyOf(stat);
      const first = open.get(key);
      if (first === undefined) return undefined;
      first.left -= 1;
      if (first.left <= 0) open.delete(key);
      return first.path;
    },
    remember(stat, entryPath) {
      open.set(keyOf(stat), { path: entryPath, left: stat.nlink - 1 });
    },
  };
}

function keyOf({ device, inodeHigh, inodeLow }: FileId): string {
  return `${device}:${inodeHigh}:${inodeLow}`;
}
