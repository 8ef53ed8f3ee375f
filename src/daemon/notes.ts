import type { RunReport } from "../contracts/run.ts";

/** Things that happened without a run (skipped, broken configuration), kept until a child writes them to the history. */
export interface NoteKeeper {
  add(report: RunReport): void;
  /** Writes what is kept; a later call waits for an earlier one. */
  flush(): Promise<void>;
}

/** A schedule of seconds beside a run of hours would pile up: only the first so many of a job are kept between flushes. */
const MOST_KEPT = 100;

export function createNoteKeeper(write: (reports: readonly RunReport[]) => Promise<void>): NoteKeeper {
  let kept: RunReport[] = [];
  let last: Promise<void> = Promise.resolve();
  return {
    add(report) {
      if (kept.length < MOST_KEPT) kept.push(report);
    },
    flush() {
      last = last.then(async () => {
        const reports = kept;
        kept = [];
        if (reports.length > 0) await write(reports);
      });
      return last;
    },
  };
}
