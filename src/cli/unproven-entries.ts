import type { ArchiveEntry } from "../archive/read/entry.ts";

/** More than a block of ours holds, tar data. */
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * The last entries that were read, as many as can lie in one block: a block's checksum stands at its end, so when it turns out
 * to be wrong, entries from that block were restored already.
 */
export interface UnprovenEntries {
  /** `isWanted`: it is restored. */
  read(entry: ArchiveEntry, isWanted: boolean): void;
  /** It lies in a block that is whole. */
  prove(entry: ArchiveEntry): void;
  /** Paths of those that were restored, in order. */
  paths(): readonly string[];
}

export function createUnprovenEntries(): UnprovenEntries {
  const entries = new Map<string, { readonly path: string; readonly bytes: number; readonly isWanted: boolean }>();
  let bytes = 0;
  const forget = (key: string): void => {
    bytes -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  };
  const keyOf = ({ pathBytes }: ArchiveEntry): string => pathBytes.toString("latin1");
  return {
    read(entry, isWanted) {
      const key = keyOf(entry);
      forget(key);
      const size = 512 + entry.sizeBytes;
      entries.set(key, { path: entry.path, bytes: size, isWanted });
      bytes += size;
      for (const first of entries.keys()) {
        // What follows the first is enough to fill a block.
        if (bytes - (entries.get(first)?.bytes ?? 0) <= MOST_BYTES) break;
        forget(first);
      }
    },
    prove: (entry) => forget(keyOf(entry)),
    paths: () => [...entries.values()].filter(({ isWanted }) => isWanted).map(({ path }) => path),
  };
}
