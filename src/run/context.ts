import type { Job } from "../contracts/job.ts";
import type { Log } from "../contracts/log.ts";
import type { RunTrigger } from "../contracts/run.ts";
import type { ProcessOptions } from "../contracts/task.ts";
import type { Clock } from "../lib/clock.ts";
import type { Redactor } from "../lib/redact.ts";

/** What every task of the program is given; it looks at no global but the file system. */
export interface TaskContext {
  readonly options: ProcessOptions;
  readonly host: string;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly redact: Redactor;
  /** Aborted with an `Interruption` as its reason. */
  readonly signal: AbortSignal;
}

export interface RunContext extends TaskContext {
  readonly job: Job;
  readonly trigger: RunTrigger;
  /** The moment the schedule named; for a manual run, now. */
  readonly firedAtMs: number;
  /** Where a progress bar is drawn; undefined elsewhere. */
  readonly terminal: { write(text: string): unknown; readonly columns?: number } | undefined;
  /** Notes about the state folder that the daemon has said already; they are not said again. */
  readonly alreadySaid: ReadonlySet<string>;
}
