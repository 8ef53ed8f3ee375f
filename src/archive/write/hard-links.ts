/** Finds the entry that already holds the content of a file with several names. */
export interface HardLinks {
  /** Entry path of the name that was stored first, if there was one. */
  stored(stat: LinkStat): string | undefined;
  remember(stat: LinkStat, entryPath: string): void;
}

interface LinkStat {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly nlink: bigint;
}

/** Memory: one path for each file whose other names have not all been met yet. */
export function createHardLinks(): HardLinks {
  const open = new Map<string, { readonly path: string; left: bigint }>();
  return {
    stored(stat) {
      const key = `${stat.dev}:${stat.ino}`;
      const first = open.get(key);
      if (first === undefined) return undefined;
      first.left -= 1n;
      if (first.left <= 0n) open.delete(key);
      return first.path;
    },
    remember(stat, entryPath) {
      open.set(`${stat.dev}:${stat.ino}`, { path: entryPath, left: stat.nlink - 1n });
    },
  };
}
