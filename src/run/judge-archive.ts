import type { ArchiveResult, NoticeKind } from "../contracts/archive.ts";
import { formatBytes } from "../lib/bytes.ts";

/** What the archive's content says about the run, before anything is delivered. */
export interface ArchiveJudgement {
  /** Nothing worth storing: nothing is delivered or pruned. */
  readonly fatal?: string;
  /** Stored, but the run is `partial`. */
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
  /** False where the archive may be so incomplete that older ones must stay. */
  readonly mayPrune: boolean;
}

const WHAT_HAPPENED: Record<NoticeKind, string> = {
  unreadable: "could not be read",
  vanished: "vanished while the archive was made",
  shrunk: "shrank while being read and were padded with zeros",
  blocked: "did not answer in time",
  grew: "grew while being read and were cut at their first-seen size",
  replaced: "were replaced while the archive was made; the new ones were read",
  socket: "are sockets and were left out",
  own: "are written by the backup itself and were left out",
  "link-followed": "are links given as sources; their targets were archived",
  crossed: "are file systems of the kernel (proc, sys, …): their content was left out",
};

const MISSING_CONTENT: ReadonlySet<NoticeKind> = new Set(["unreadable", "vanished", "shrunk", "blocked"]);

/**
 * Pure. `earlierSizes` are the last archives' sizes in bytes, newest first (at most five count); `minSizePercent` is
 * `BACKUP_MIN_SIZE_PERCENT`, 0 switches the comparison off. `excludes`: the settings that left something out, perhaps.
 */
export function judgeArchive(
  result: ArchiveResult,
  earlierSizes: readonly number[],
  minSizePercent: number,
  excludes: readonly string[] = [],
): ArchiveJudgement {
  const warnings: string[] = [];
  const notes: string[] = [];
  const empty = result.sources.filter((source) => source.counts.files + source.counts.hardlinks === 0);
  const noFiles =
    excludes.length === 0
      ? "no files in it"
      : `no files in it but those that ${excludes.join(" and ")} ${excludes.length === 1 ? "leaves" : "leave"} out, if any`;
  const why = (source: (typeof empty)[number]): string => `${source.path} (${source.error ?? noFiles})`;
  if (empty.length === result.sources.length) {
    return {
      fatal: `there is nothing to back up: ${empty.map(why).join(", ")}`,
      warnings,
      notes,
      mayPrune: false,
    };
  }
  for (const source of empty) warnings.push(`nothing was found in the source ${why(source)}`);

  for (const [kind, count] of Object.entries(result.notices) as [NoticeKind, number][]) {
    if (count === 0) continue;
    const text = `${count} ${count === 1 ? "path" : "paths"}: ${WHAT_HAPPENED[kind]}`;
    if (MISSING_CONTENT.has(kind)) warnings.push(text);
    else notes.push(text);
  }

  const median = medianOf(earlierSizes.slice(0, 5));
  const tooSmall = median !== undefined && result.sizeBytes * 100 < median * minSizePercent;
  if (tooSmall) {
    warnings.push(
      `the archive is much smaller than usual: ${formatBytes(result.sizeBytes)} against a median of ` +
        `${formatBytes(median)} (BACKUP_MIN_SIZE_PERCENT is ${minSizePercent}); nothing is pruned`,
    );
  }
  return { warnings, notes, mayPrune: !tooSmall };
}

/** Median of the sizes; of an even number the lower middle one, so that the check errs towards silence. */
export function medianOf(sizes: readonly number[]): number | undefined {
  const sorted = [...sizes].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}
