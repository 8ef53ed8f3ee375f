import type { MissedRun } from "../contracts/task.ts";
import type { RunReport } from "../contracts/run.ts";

/** Things that happened without a run (skipped, missed, broken configuration), kept until a child records and tells them. */
export interface NoteKeeper {
  add(report: RunReport): void;
  addMissed(missed: MissedRun): void;
  /** Hands on what is kept; a later call waits for an earlier one. */
  flush(): Promise<void>;
  /** The job's run has ended, so that the next one that is skipped is told again. */
  runEnded(job: string): void;
}

export interface Notes {
  readonly reports: readonly RunReport[];
  readonly missed: readonly MissedRun[];
  /** Jobs of which people know already that their runs are skipped, from notes that were handed on before. */
  readonly skipsTold: readonly string[];
}

/** A schedule of seconds beside a run of hours would pile up: only the first so many of a job are kept between flushes. */
const MOST_KEPT = 100;

/** `write` gives false where nothing was taken: it is handed on again, with what comes next. */
export function createNoteKeeper(write: (notes: Notes) => Promise<boolean>): NoteKeeper {
  let reports: RunReport[] = [];
  let missed: MissedRun[] = [];
  const skipsTold = new Set<string>();
  let last: Promise<void> = Promise.resolve();
  return {
    add(report) {
      if (reports.length < MOST_KEPT) reports.push(report);
    },
    addMissed(one) {
      if (missed.length < MOST_KEPT) missed.push(one);
    },
    flush() {
      last = last.then(async () => {
        const notes = { reports, missed, skipsTold: [...skipsTold] };
        for (const { status, job } of reports) if (status === "skipped") skipsTold.add(job);
        reports = [];
        missed = [];
        if (notes.reports.length + notes.missed.length === 0 || (await write(notes))) return;
        reports = [...notes.reports, ...reports].slice(0, MOST_KEPT);
        missed = [...notes.missed, ...missed].slice(0, MOST_KEPT);
        for (const { job } of notes.reports) if (!notes.skipsTold.includes(job)) skipsTold.delete(job);
      });
      return last;
    },
    runEnded(job) {
      skipsTold.delete(job);
    },
  };
}
