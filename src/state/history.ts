import type { RunReport } from "../contracts/run.ts";
import { openKeeper } from "./history-keeper.ts";
import type { RunFilter, RunStore, StoredRun } from "./history-store.ts";
import { processIdentity } from "./process.ts";
import type { ProcessIdentity } from "./process.ts";

export type { RunFilter } from "./history-store.ts";

export interface HistoryOptions {
  /** Folder of `history.db`; created where possible. */
  readonly stateDir: string;
  /** For readers (`history`, `status`, `list`) beside a run that writes. What they import or change stays in memory. */
  readonly readOnly?: boolean;
  /** Milliseconds since the epoch; tests bring their own. */
  now?(): number;
  /** Called once for each thing the user should know (damaged, in memory only, …). */
  onNote(text: string): void;
}

/** The runs of all jobs. Nothing here throws because of the database: what can't be kept is said and kept in memory. */
export interface History {
  /** False while it lives in memory only. Turns false when a write fails. */
  readonly persistent: boolean;
  /** Path of the database, or `memory`. */
  readonly where: string;
  /** Adds a run; with `pid` set, that process's identity is kept for {@link History.markInterrupted}. */
  begin(report: RunReport): void;
  /** Replaces (or adds) the whole report, in one transaction. */
  update(report: RunReport): void;
  /** Newest first. */
  runs(filter?: RunFilter): RunReport[];
  run(id: string): RunReport | undefined;
  /** Newest run with status `success`. */
  lastGood(job: string): RunReport | undefined;
  /** Turns `running` runs whose process is dead or unknown into `interrupted`, with this error, and returns them. */
  markInterrupted(isAlive: (process: ProcessIdentity) => boolean, error: string): RunReport[];
  /** Adds what is not there yet (records beside the archives); returns how many. */
  importReports(reports: Iterable<RunReport>): number;
  /** Forgets runs older than so many days, but each job's newest run and newest success; returns how many. 0 keeps all. */
  prune(days: number): number;
  /** What had to stay in memory is tried once more (a full disk may have room again). */
  close(): void;
}

const DAY_MS = 86_400_000;
const IMPORT_BATCH = 200;

/** Never rejects: where no database can be used the history lives in memory, which is noted. Loads SQLite only now. */
export async function openHistory(options: HistoryOptions): Promise<History> {
  const { stateDir, readOnly = false, onNote } = options;
  const now = options.now ?? Date.now;
  const keeper = await openKeeper({ stateDir, readOnly, now, onNote });

  const keep = (report: RunReport): void => {
    const identity = report.pid === undefined ? undefined : processIdentity(report.pid);
    keeper.save({ report, process: identity, updatedAtMs: now() });
  };

  function interrupt(run: StoredRun, error: string, to: RunStore): RunReport {
    const { report } = run;
    const interrupted: RunReport = {
      ...report,
      status: "interrupted",
      endedAt: report.endedAt ?? new Date(Math.max(run.updatedAtMs, Date.parse(report.startedAt))).toISOString(),
      error: report.error === undefined ? error : `${error}; before that: ${report.error}`,
    };
    to.save({ ...run, report: interrupted });
    return interrupted;
  }

  return {
    get persistent() {
      return keeper.file !== undefined;
    },
    get where() {
      return keeper.file ?? "memory";
    },
    begin: keep,
    update: keep,
    runs: (filter = {}) => keeper.use([], (from) => from.runs(filter)),
    run: (id) => keeper.use(undefined, (from) => from.find(id)),
    lastGood: (job) => keeper.use([], (from) => from.runs({ job, status: "success", limit: 1 }))[0],
    markInterrupted: (isAlive, error) =>
      keeper.change([], (to) =>
        to
          .running()
          .filter((run) => run.process === undefined || !isAlive(run.process))
          .map((run) => interrupt(run, error, to)),
      ),
    importReports: (reports) => {
      let added = 0;
      for (const batch of batchesOf(reports, IMPORT_BATCH)) {
        const runs = batch.map((report) => ({ report: withoutPid(report), process: undefined, updatedAtMs: now() }));
        added += keeper.change(0, (to) => to.addNew(runs));
      }
      return added;
    },
    prune: (days) =>
      days > 0 && Number.isFinite(days) ? keeper.change(0, (from) => from.removeBefore(now() - days * DAY_MS)) : 0,
    close: keeper.close,
  };
}

/** A pid from a record belongs to another machine, or to the past. */
function withoutPid(report: RunReport): RunReport {
  const { pid, ...rest } = report;
  return pid === undefined ? report : rest;
}

function* batchesOf<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
