import { fingerprint } from "./fingerprint.ts";
import { readSmallFile, reasonOf } from "./read-file.ts";
import { readdirSync, statSync } from "node:fs";
import path from "node:path";

export interface WatchOptions {
  /** The config folder. It may be missing, vanish and come back. */
  readonly folder: string;
  /** Further files and folders that count, asked for at every poll: `KEY_FILE` targets, certificates. */
  readonly extraPaths?: () => readonly string[];
  /** How often to look. A change is reported within this plus `settleMs`, once nothing changes any more. */
  readonly pollMs?: number;
  /** After a change, how long everything must stay as it is before the change counts. */
  readonly settleMs?: number;
  /** A change that never settles (a file that is written on and on) is reported after this. */
  readonly longestSettleMs?: number;
  /** A file that has not come to rest for so long holds back no other file's change. */
  readonly noisyAfterMs?: number;
  /**
   * Whether the first look, after `pollMs`, calls `onChange` in any case: the configuration may have changed between
   * its reading and the start of the watch. Default true.
   */
  readonly reportFirst?: boolean;
  onChange(): void;
  readonly signal: AbortSignal;
}

const POLL_MS = 2_000;
const SETTLE_MS = 500;
const LONGEST_SETTLE_MS = 30_000;
const NOISY_AFTER_MS = 2_000;
/** Some file systems keep times to 2 s only: a file that was written this lately may be written again unseen. */
const FRESH_MS = 3_000;

/** What one look sees: for each path the figures of `stat`, and for files the fingerprint of what they hold. */
type Snapshot = ReadonlyMap<string, Seen>;

interface Seen {
  /** Device, inode, size, mtime and ctime; or why it can't be looked at. */
  readonly figures: string;
  /** Fingerprint of a file's bytes when they were last read. */
  readonly content: string;
  /** It was read while it was fresh, so equal figures prove nothing yet. */
  readonly doubtful: boolean;
}

/**
 * Calls `onChange` when the content of the folder's files changes. It compares what `stat` says every two seconds, which
 * works on any file system (events do not, on network and overlay mounts), and reads only what looks different. Never
 * throws. Ends with the signal.
 */
export function watchFolder(options: WatchOptions): void {
  const {
    pollMs = POLL_MS,
    settleMs = SETTLE_MS,
    longestSettleMs = LONGEST_SETTLE_MS,
    noisyAfterMs = NOISY_AFTER_MS,
    reportFirst = true,
    signal,
  } = options;
  if (signal.aborted) return;
  let last = look(options, new Map());
  /** What was last reported, or stood there at the start. */
  let known = reportFirst ? undefined : last;
  let changedSinceMs: number | undefined;
  /** Since when each path has looked different at every look. */
  let restlessSinceMs = new Map<string, number>();

  const poll = (): void => {
    const now = look(options, last);
    const atMs = performance.now();
    const moving = differing(last, now, ({ figures }) => figures);
    restlessSinceMs = new Map(moving.map((full) => [full, restlessSinceMs.get(full) ?? atMs]));
    last = now;
    const changed = known === undefined ? undefined : differing(known, now, ({ content }) => content);
    if (changed?.length === 0) {
      changedSinceMs = undefined;
      arm(pollMs);
      return;
    }
    const firstSight = changedSinceMs === undefined;
    changedSinceMs ??= atMs;
    const isHeldBack = [...restlessSinceMs.values()].some((sinceMs) => atMs - sinceMs < noisyAfterMs);
    const hasSettled = !isHeldBack && (changed === undefined || changed.some((full) => !restlessSinceMs.has(full)));
    if ((firstSight || !hasSettled) && atMs - changedSinceMs < longestSettleMs) {
      arm(settleMs);
      return;
    }
    known = now;
    changedSinceMs = undefined;
    arm(pollMs);
    options.onChange();
  };

  let timer: NodeJS.Timeout;
  const arm = (ms: number): void => {
    timer = setTimeout(poll, ms);
  };
  arm(pollMs);
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
}

function look({ folder, extraPaths }: WatchOptions, before: Snapshot): Snapshot {
  const snapshot = new Map<string, Seen>();
  for (const full of [...filesOf(folder), ...(extraPaths?.() ?? [])]) {
    if (!snapshot.has(full)) snapshot.set(full, see(full, before.get(full)));
  }
  return snapshot;
}

/** The folder's files by path. The folder itself is not among them: that a hidden file comes or goes changes nothing. */
function filesOf(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => !name.startsWith("."));
    return names.toSorted().map((name) => path.join(folder, name));
  } catch (error) {
    // Missing, or not to be read: the reason stands in for the files, so that a change of it is seen.
    return [`${folder}\0${reasonOf(error)}`];
  }
}

function see(full: string, before: Seen | undefined): Seen {
  let figures: string;
  let youngestMs: number;
  try {
    const stat = statSync(full, { bigint: true });
    if (stat.isDirectory()) return { figures: folderFigures(full), content: folderFigures(full), doubtful: false };
    figures = [stat.dev, stat.ino, stat.mode, stat.uid, stat.gid, stat.size, stat.mtimeNs, stat.ctimeNs].join(" ");
    youngestMs = Number(stat.mtimeNs > stat.ctimeNs ? stat.mtimeNs : stat.ctimeNs) / 1e6;
  } catch (error) {
    const reason = reasonOf(error);
    return { figures: reason, content: reason, doubtful: false };
  }
  if (before !== undefined && before.figures === figures && !before.doubtful) return before;
  return { figures, content: contentTag(full), doubtful: Math.abs(Date.now() - youngestMs) < FRESH_MS };
}

/** For a folder among the extra paths: the names in it. */
function folderFigures(full: string): string {
  try {
    return JSON.stringify(readdirSync(full).toSorted());
  } catch (error) {
    return reasonOf(error);
  }
}

function contentTag(full: string): string {
  try {
    return fingerprint(readSmallFile(full));
  } catch (error) {
    return reasonOf(error);
  }
}

/** Paths of which one snapshot says something else than the other, or nothing. */
function differing(before: Snapshot, after: Snapshot, what: (seen: Seen) => string): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((full) => {
    const [old, now] = [before.get(full), after.get(full)];
    return old === undefined || now === undefined || what(old) !== what(now);
  });
}
