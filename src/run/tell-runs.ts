import type { Job } from "../contracts/job.ts";
import type { RunReport } from "../contracts/run.ts";
import type { MissedRun } from "../contracts/task.ts";
import { isBrokenConfig } from "../notifications/events.ts";
import { openHistory, type History } from "../state/history.ts";
import type { TellContext } from "./context.ts";
import { pingLaterSuccess } from "./healthcheck.ts";
import { tell } from "./tell.ts";

/** Enough to find the last real run among those that were skipped. */
const RUNS_LOOKED_AT = 50;

/**
 * Tells of a run that has ended and was recorded; returns its report with what became of that, which is recorded too.
 * `log`: the run's lines.
 */
export async function tellOfRun(
  report: RunReport,
  job: Job,
  log: readonly string[],
  history: History,
  context: TellContext,
): Promise<RunReport> {
  const earlier = history
    .runs({ job: job.name, limit: RUNS_LOOKED_AT })
    .filter((run) => run.id !== report.id && run.status !== "running");
  const previous = earlier.find((run) => run.status !== "skipped" && !isBrokenConfig(run));
  const lastGood = earlier.find(
    (run) =>
      run.archive !== undefined &&
      run.archive.compression === report.archive?.compression &&
      (run.status === "success" || run.status === "partial"),
  );
  const steps = await tell({ kind: "run", report, previous, lastGood, log }, job, context);
  if (steps.length === 0) return report;
  const told = { ...report, steps: [...report.steps, ...steps] };
  history.update(told);
  return told;
}

/** Tells that a run became a success after all; `before`: its report when people were last told. */
export async function tellOfLaterSuccess(
  report: RunReport,
  before: RunReport,
  job: Job,
  history: History,
  context: TellContext,
): Promise<void> {
  const event = { kind: "run", report, previous: before, lastGood: undefined, log: [] } as const;
  const [steps] = await Promise.all([tell(event, job, context), pingLaterSuccess(report, job, context)]);
  if (steps.length > 0) history.update({ ...report, steps: [...report.steps, ...steps] });
}

/** How many of the runs that a kill ended are told of, of each job. */
const MOST_INTERRUPTED = 3;

/** Tells of runs that were found dead, the oldest first. */
export async function tellOfInterrupted(
  reports: Iterable<RunReport>,
  jobs: readonly Job[],
  history: History,
  context: TellContext,
): Promise<void> {
  const all = [...reports].toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
  for (const job of jobs) {
    for (const report of all
      .filter((one) => one.job === job.name)
      .slice(0, MOST_INTERRUPTED)
      .toReversed()) {
      await tellOfRun(report, job, [], history, context);
    }
  }
}

interface Notes {
  readonly reports: readonly RunReport[];
  readonly missed: readonly MissedRun[];
  readonly skipsTold: readonly string[];
}

/**
 * Puts what happened without a run (skipped, bad configuration) into the history, and tells of it and of runs that were
 * missed. Several skipped runs of one job are told of once; those of `skipsTold` are known already.
 */
export async function noteAndTell(
  { reports, missed, skipsTold }: Notes,
  jobs: readonly Job[],
  context: TellContext,
): Promise<void> {
  const history = await openHistory({ stateDir: context.options.stateDir, onNote: (text) => context.log.debug(text) });
  const toldSkips = new Set(skipsTold);
  for (const report of reports) {
    history.update(report);
    const job = jobs.find(({ name }) => name === report.job);
    if (job === undefined || (report.status === "skipped" && toldSkips.has(report.job))) continue;
    if (report.status === "skipped") toldSkips.add(report.job);
    await tellOfRun(report, job, [], history, context);
  }
  for (const { job: name, dueAtMs, isCaughtUp } of missed) {
    const job = jobs.find((one) => one.name === name);
    if (job !== undefined) await tell({ kind: "missed", job: name, dueAtMs, isCaughtUp }, job, context);
  }
  history.close();
}
