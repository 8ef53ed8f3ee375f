import type { Destination } from "../contracts/destination.ts";
import type { Job } from "../contracts/job.ts";
import type { RunReport } from "../contracts/run.ts";
import type { HealAnswer } from "../contracts/task.ts";
import type { TaskContext, TellContext } from "./context.ts";
import { dropOrphans } from "../delivery/kept.ts";
import { writeRecord } from "../delivery/records.ts";
import { cleanSpool } from "../delivery/staging.ts";
import { openJobDestinations } from "./job-destinations.ts";
import { readOwnRecords } from "./own-records.ts";
import { orAborted } from "../lib/abortable.ts";
import { messageOf } from "../lib/errors.ts";
import { healState, KILLED } from "../state/heal.ts";
import { openHistory, type History } from "../state/history.ts";
import { acquireLock, LockTimeout, type RunLock } from "../state/lock.ts";
import { closeAll } from "./delivery-phases.ts";
import { waitingRun } from "./later-delivery.ts";
import { lookAfter, sayRemoved } from "./remote-care.ts";
import { spoolFolderOf } from "./spool.ts";
import { tellOfInterrupted } from "./tell-runs.ts";

export interface HealContext extends TellContext {
  readonly jobs: readonly Job[];
}

/** Enough to judge an archive by its predecessors. */
const RUNS_RECALLED = 50;
/** Longest that healing looks at one destination. */
const DESTINATION_LIMIT_MS = 60_000;
/** Longest that a run without a history waits for the records of earlier ones. */
const RECALL_LIMIT_MS = 10_000;

/**
 * After a kill or a power loss: runs of dead processes become `interrupted`, their leftovers go, a dead lock goes, and a
 * history that was lost is rebuilt from the records beside the archives. Never rejects.
 */
export async function heal(context: HealContext): Promise<HealAnswer> {
  const { jobs, options, log } = context;
  const said: string[] = [];
  const say = (text: string): void => {
    said.push(text);
    log.warn(text);
  };
  const history = await openHistory({ stateDir: options.stateDir, onNote: say });
  const interrupted = new Map(healState(history).map((report) => [report.id, report]));
  // Held like a run's: what a run of another process writes is no leftover. Taking it also removes a dead one.
  const lock = await lockForHealing(context, say);
  for (const job of jobs) await healJob(context, job, history, interrupted, lock === undefined);
  lock?.release();
  for (const report of interrupted.values()) {
    log.warn(`an earlier run did not end: ${report.error ?? KILLED}; it is recorded as interrupted`, {
      job: report.job,
      run: report.id,
    });
  }
  await tellOfInterrupted(interrupted.values(), jobs, history, context);
  const lastFiredAtMs: Record<string, number> = {};
  let pending = false;
  for (const job of jobs) {
    const last = lastFired(history, job.name);
    if (last !== undefined) lastFiredAtMs[job.name] = Date.parse(last.firedAt);
    pending ||= waitingRun(history.runs({ job: job.name, limit: RUNS_RECALLED })) !== undefined;
  }
  history.close();
  return { lastFiredAtMs, said, pending };
}

/** The last run that came due; a complaint about the configuration stands in the history too, but nothing was due then. */
function lastFired(history: History, job: string): RunReport | undefined {
  return history
    .runs({ job, limit: RUNS_RECALLED })
    .filter((run) => run.status === "skipped" || run.steps.length > 0)
    .reduce<RunReport | undefined>(
      (last, run) => (last !== undefined && last.firedAt >= run.firedAt ? last : run),
      undefined,
    );
}

/** Undefined while another process runs a job. */
async function lockForHealing(
  { options, signal }: HealContext,
  onNote: (text: string) => void,
): Promise<RunLock | undefined> {
  try {
    return await acquireLock({ path: options.lockFile, timeoutMs: 0, signal, job: "(healing)", onNote });
  } catch (thrown) {
    if (thrown instanceof LockTimeout || signal.aborted) return undefined;
    throw thrown;
  }
}

/**
 * What a run finds under its lock: dead runs are ended, and its own leftovers in the local folder and the spool make room first. Remote
 * stores are looked after within their deliveries (`remote-care.ts`). Returns the runs that were ended. Never rejects.
 */
export async function healBeforeRun(
  context: TaskContext,
  job: Job,
  history: History,
  destinations: readonly Destination[],
): Promise<readonly RunReport[]> {
  const { log, signal } = context;
  const interrupted = healState(history);
  for (const { id, job: name } of interrupted)
    log.warn("an earlier run did not end; it is recorded as interrupted", { job: name, run: id });
  const limited = AbortSignal.any([signal, AbortSignal.timeout(DESTINATION_LIMIT_MS)]);
  for (const destination of destinations) {
    if (destination.kind !== "local") continue;
    try {
      await orAborted(lookAfter(destination, { ...context, job }, interrupted, limited), limited);
    } catch (thrown) {
      // The run itself meets the same trouble next, and tells it as its own.
      log.debug(`could not look after earlier runs at ${destination.label}: ${messageOf(thrown)}`);
    }
  }
  const spool = spoolFolderOf(job, context.options);
  try {
    sayRemoved(await orAborted(cleanSpool(spool, limited), limited), { label: spool }, log);
  } catch (thrown) {
    log.debug(`could not look after earlier runs in ${spool}: ${messageOf(thrown)}`);
  }
  return interrupted;
}

/**
 * What a history that is in memory only can't know: the job's last runs, from the records beside the archives. One store
 * that has some is enough, so a dead one costs nothing while another answers.
 */
export async function recall(
  history: History,
  job: Job,
  destinations: readonly Destination[],
  { host, signal, log }: Pick<TaskContext, "host" | "signal" | "log">,
): Promise<void> {
  const done = new AbortController();
  const limited = AbortSignal.any([signal, done.signal, AbortSignal.timeout(RECALL_LIMIT_MS)]);
  const look = async (destination: Destination): Promise<void> => {
    try {
      const options = { signal: limited, limit: RUNS_RECALLED };
      const records = await orAborted(readOwnRecords(destination, job, host, options), limited);
      history.importReports(records.filter((record) => record.status !== "running"));
      if (records.length > 0) done.abort();
    } catch (thrown) {
      if (!done.signal.aborted) log.debug(`no records from ${destination.label}: ${messageOf(thrown)}`);
    }
  };
  await Promise.all(destinations.map(look));
}

async function healJob(
  context: HealContext,
  job: Job,
  history: History,
  interrupted: Map<string, RunReport>,
  othersRun: boolean,
): Promise<void> {
  const log = context.log.with({ job: job.name });
  try {
    const destinations = await openJobDestinations(job, context.options.stateDir);
    const heals = destinations.map(async (destination) => {
      const signal = AbortSignal.any([context.signal, AbortSignal.timeout(DESTINATION_LIMIT_MS)]);
      try {
        const work = healDestination({ ...context, job, log }, destination, history, interrupted, othersRun, signal);
        await orAborted(work, signal);
      } catch (thrown) {
        log.warn(`could not look after earlier runs at ${destination.label}: ${messageOf(thrown)}`);
      }
    });
    await Promise.all(heals);
    if (!othersRun) {
      const limited = AbortSignal.any([context.signal, AbortSignal.timeout(DESTINATION_LIMIT_MS)]);
      const spool = spoolFolderOf(job, context.options);
      await cleanSpool(spool, limited);
      await dropOrphans(spool, context.clock.now());
    }
    await closeAll(destinations, log);
  } catch (thrown) {
    log.warn(`could not look after earlier runs: ${messageOf(thrown)}`);
  }
}

async function healDestination(
  context: TaskContext & { readonly job: Job },
  destination: Destination,
  history: History,
  interrupted: Map<string, RunReport>,
  othersRun: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { job, clock, host, log } = context;
  for (const record of await readOwnRecords(destination, job, host, { signal, limit: 500 })) {
    const report = record.status === "running" && !othersRun ? endedByKill(record, clock.now()) : record;
    if (report !== record) interrupted.set(report.id, interrupted.get(report.id) ?? report);
    if (report.status !== "running") history.importReports([report]);
  }
  for (const report of interrupted.values()) {
    if (report.job === job.name) await writeRecord(destination, report, signal);
  }
  if (!othersRun) sayRemoved(await destination.removeLeftovers({ host, job: job.name }, signal), destination, log);
}

function endedByKill(report: RunReport, nowMs: number): RunReport {
  const { pid: _pid, ...rest } = report;
  return { ...rest, status: "interrupted", endedAt: new Date(nowMs).toISOString(), error: KILLED };
}
