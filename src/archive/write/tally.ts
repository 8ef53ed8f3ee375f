import type { ArchiveNotice, EntryCounts, NoticeKind, SourceResult } from "../../contracts/archive.ts";
import { printablePath } from "../../lib/printable.ts";

const INCOMPLETE: ReadonlySet<NoticeKind> = new Set(["unreadable", "vanished", "shrunk", "blocked"]);

/** Counts of one source; what lies in a source within a source counts for both. */
export interface SourceTally {
  readonly counts: Record<keyof EntryCounts, number>;
  bytesRead: number;
  error: string | undefined;
}

export interface Tally {
  readonly counts: EntryCounts;
  readonly bytesRead: number;
  readonly notices: Readonly<Partial<Record<NoticeKind, number>>>;
  readonly incomplete: number;
  count(what: keyof EntryCounts, sources: readonly SourceTally[]): void;
  read(bytes: number, sources: readonly SourceTally[]): void;
  /** `path` is a byte string. */
  notice(kind: NoticeKind, path: string, detail: string): void;
}

export function createSourceTally(): SourceTally {
  return { counts: noCounts(), bytesRead: 0, error: undefined };
}

export function sourceResult(path: string, tally: SourceTally): SourceResult {
  const { counts, bytesRead, error } = tally;
  return { path, counts, bytesRead, ...(error === undefined ? {} : { error }) };
}

export function createTally(onNotice: (notice: ArchiveNotice) => void): Tally {
  const counts = noCounts();
  const notices: Partial<Record<NoticeKind, number>> = {};
  let bytesRead = 0;
  let incompletePaths = 0;
  return {
    counts,
    notices,
    get bytesRead() {
      return bytesRead;
    },
    get incomplete() {
      return incompletePaths;
    },
    count(what, sources) {
      counts[what] += 1;
      for (const source of sources) source.counts[what] += 1;
    },
    read(bytes, sources) {
      bytesRead += bytes;
      for (const source of sources) source.bytesRead += bytes;
    },
    notice(kind, path, detail) {
      const incomplete = INCOMPLETE.has(kind);
      notices[kind] = (notices[kind] ?? 0) + 1;
      if (incomplete) incompletePaths += 1;
      onNotice({ kind, path: printablePath(Buffer.from(path, "latin1")), detail, incomplete });
    },
  };
}

function noCounts(): Record<keyof EntryCounts, number> {
  return { files: 0, directories: 0, symlinks: 0, hardlinks: 0, others: 0 };
}
