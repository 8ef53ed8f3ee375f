import type { Job } from "../contracts/job.ts";
import type { RunReport } from "../contracts/run.ts";
import type { TendAnswer } from "../contracts/task.ts";
import { BACKUP_MAX_AGE } from "../notifications/settings.ts";
import { closeAll } from "./delivery-phases.ts";
import { openHistory, type History } from "../state/history.ts";
import { openOutbox, type Outbox } from "../state/outbox.ts";
import { recall } from "./heal.ts";
import { openJobDestinations } from "./job-destinations.ts";
import type { TellContext } from "./context.ts";
import { tell, tellAgain } from "./tell.ts";

const TOO_OLD = "too-old";

/**
 * What is to be done now and then between runs: messages that wait are sent again, and a job without a good backup for
 * longer than `BACKUP_MAX_AGE` is told of, once. `alerted` names the jobs that the daemon knows to be told of already: it
 * is all that remembers where the state folder can't be written. Answers when to come again. Never rejects.
 */
export async function tend(
  jobs: readonly Job[],
  alerted: readonly string[],
  context: TellContext,
): Promise<TendAnswer> {
  const { options, log, clock } = context;
  const outboxNextMs = await tellAgain(jobs, context);
  const watched = jobs.filter((job) => (job.values.get(BACKUP_MAX_AGE) ?? 0) > 0);
  const times = outboxNextMs === undefined ? [] : [outboxNextMs];
  const stillOld: string[] = [];
  if (watched.length > 0) {
    const history = await openHistory({ stateDir: options.stateDir, onNote: (text) => log.debug(text) });
    const outbox = await openOutbox({ stateDir: options.stateDir, onNote: (text) => log.debug(text) });
    for (const job of watched) {
      if (!history.persistent) await recallFrom(job, history, context);
      const ageEndsMs = endOfAge(job, history, outbox, clock.now());
      if (ageEndsMs > clock.now()) times.push(ageEndsMs);
      else {
        stillOld.push(job.name);
        if (!alerted.includes(job.name)) await alertOnce(job, history, outbox, context);
      }
    }
    outbox.close();
    history.close();
  }
  return { alerted: stillOld, ...(times.length === 0 ? {} : { tendAtMs: Math.min(...times) }) };
}

/** When to tend after a run: as soon as a message that waits is due, or the backup that it made is too old. */
export async function tendAfterRun(job: Job, report: RunReport, context: TellContext): Promise<number | undefined> {
  const outbox = await openOutbox({ stateDir: context.options.stateDir, onNote: (text) => context.log.debug(text) });
  const nextMs = outbox.nextMs();
  if (report.status === "success") outbox.clear(job.name, TOO_OLD);
  outbox.close();
  const maxAgeMs = job.values.get(BACKUP_MAX_AGE) ?? 0;
  const times = [
    ...(nextMs === undefined ? [] : [nextMs]),
    ...(maxAgeMs > 0 && report.status === "success" ? [Date.parse(report.startedAt) + maxAgeMs] : []),
  ];
  return times.length === 0 ? undefined : Math.min(...times);
}

/** A job that never had a good backup gets its time from the first run that is known; without one, from when it was first seen. */
function endOfAge(job: Job, history: History, outbox: Outbox, nowMs: number): number {
  const since = history.lastGood(job.name) ?? history.runs({ job: job.name, limit: 1_000 }).at(-1);
  const sinceMs = since === undefined ? outbox.firstSeenMs(job.name, nowMs) : Date.parse(since.startedAt);
  return sinceMs + (job.values.get(BACKUP_MAX_AGE) ?? 0);
}

async function alertOnce(job: Job, history: History, outbox: Outbox, context: TellContext): Promise<void> {
  if (!outbox.raise(job.name, TOO_OLD)) return;
  const good = history.lastGood(job.name);
  context.log.error("no good backup is younger than BACKUP_MAX_AGE", {
    job: job.name,
    last: good?.startedAt ?? "none",
  });
  await tell(
    {
      kind: TOO_OLD,
      job: job.name,
      lastGoodAtMs: good === undefined ? undefined : Date.parse(good.startedAt),
      maxAgeMs: job.values.get(BACKUP_MAX_AGE) ?? 0,
    },
    job,
    context,
  );
}

async function recallFrom(job: Job, history: History, context: TellContext): Promise<void> {
  const destinations = await openJobDestinations(job, context.options.stateDir);
  await recall(history, job, destinations, context);
  await closeAll(destinations, context.log);
}
