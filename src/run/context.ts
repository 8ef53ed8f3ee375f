import type { Job } from "../contracts/job.ts";
import type { Log } from "../contracts/log.ts";
import type { RunTrigger } from "../contracts/run.ts";
import type { ProcessOptions } from "../contracts/task.ts";
import type { Setting } from "../contracts/setting.ts";
import type { Clock } from "../lib/clock.ts";
import type { LogTail } from "../lib/log-tail.ts";
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

/** For tasks that tell people of what happened. */
export interface TellContext extends TaskContext {
  /** Every setting there is: notification templates may show them. */
  readonly settings: readonly Setting[];
}

export interface RunContext extends TellContext {
  readonly job: Job;
  /** Whose dead runs are told of when this one finds them; its own job alone where a daemon looks after the others. */
  readonly allJobs?: readonly Job[];
  readonly trigger: RunTrigger;
  /** The moment the schedule named; for a manual run, now. */
  readonly firedAtMs: number;
  /** Where a progress bar is drawn; undefined elsewhere. */
  readonly terminal: { write(text: string): unknown; readonly columns?: number } | undefined;
  /** Notes about the state folder that the daemon has said already; they are not said again. */
  readonly alreadySaid: ReadonlySet<string>;
  /** Gets every line of the log. */
  readonly logTail: LogTail;
}
