import type { RunReport, RunStatus } from "../contracts/run.ts";
import type { ProcessIdentity } from "./process.ts";

export interface RunFilter {
  readonly job?: string;
  readonly status?: RunStatus | "running";
  /** Only runs that started at or after this moment, milliseconds since the epoch. */
  readonly sinceMs?: number;
  /** Default 100. */
  readonly limit?: number;
}

/** A report with what only this machine knows: which process writes it, and when it last did. */
export interface StoredRun {
  readonly report: RunReport;
  readonly process: ProcessIdentity | undefined;
  readonly updatedAtMs: number;
}

/** Where runs are kept: SQLite, or plain memory where that is not to be had. The SQLite one throws its errors. */
export interface RunStore {
  /** Adds or replaces the whole run. */
  save(run: StoredRun): void;
  /** Adds those whose id is new, in one transaction; returns how many. */
  addNew(runs: readonly StoredRun[]): number;
  find(id: string): RunReport | undefined;
  /** Newest start first. */
  runs(filter: RunFilter): RunReport[];
  running(): StoredRun[];
  /** Removes runs started before this moment, but not running ones, nor each job's newest run and newest success. */
  removeBefore(startedMs: number): number;
  close(): void;
}

export const DEFAULT_LIMIT = 100;

export function createMemoryStore(): RunStore {
  const all = new Map<string, StoredRun>();

  const newestFirst = (matches: (report: RunReport) => boolean): RunReport[] =>
    [...all.values()]
      .map((run) => run.report)
      .filter(matches)
      .sort((a, b) => startedMsOf(b) - startedMsOf(a) || (a.id < b.id ? 1 : -1));

  const removeBefore = (startedMs: number): number => {
    const kept = new Set<string>();
    const seen = new Set<string>();
    for (const report of newestFirst(() => true)) {
      const wanted = [`run of ${report.job}`, report.status === "success" ? `success of ${report.job}` : undefined];
      for (const key of wanted) {
        if (key !== undefined && !seen.has(key)) kept.add(report.id);
        if (key !== undefined) seen.add(key);
      }
      if (report.status === "running" || startedMsOf(report) >= startedMs) kept.add(report.id);
    }
    const gone = [...all.keys()].filter((id) => !kept.has(id));
    for (const id of gone) all.delete(id);
    return gone.length;
  };

  return {
    save: (run) => void all.set(run.report.id, run),
    addNew: (runs) => {
      const before = all.size;
      for (const run of runs) if (!all.has(run.report.id)) all.set(run.report.id, run);
      return all.size - before;
    },
    find: (id) => all.get(id)?.report,
    runs: ({ job, status, sinceMs, limit }) =>
      newestFirst(
        (report) =>
          (job === undefined || report.job === job) &&
          (status === undefined || report.status === status) &&
          (sinceMs === undefined || startedMsOf(report) >= sinceMs),
      ).slice(0, limit ?? DEFAULT_LIMIT),
    running: () => [...all.values()].filter((run) => run.report.status === "running"),
    removeBefore,
    close: () => {},
  };
}

export function startedMsOf(report: RunReport): number {
  return Date.parse(report.startedAt);
}
