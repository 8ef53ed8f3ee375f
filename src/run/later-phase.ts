import { join } from "node:path";
import type { Destination } from "../contracts/destination.ts";
import type { Job } from "../contracts/job.ts";
import type { DeliveryReport, RunReport } from "../contracts/run.ts";
import type { RetryAnswer } from "../contracts/task.ts";
import type { TaskContext, TellContext } from "./context.ts";
import { deliverAll } from "../delivery/deliver.ts";
import { dropKept, keptName } from "../delivery/kept.ts";
import { copyIndex } from "../delivery/copy-index.ts";
import { writeRecord } from "../delivery/records.ts";
import { UPLOAD_LIMIT } from "../delivery/settings.ts";
import { openStoredArchive, type StoredArchive } from "../delivery/stored-archive.ts";
import { createUploadLimit } from "../delivery/upload-limit.ts";
import { orAborted } from "../lib/abortable.ts";
import { messageOf } from "../lib/errors.ts";
import { Interruption } from "../lib/interruption.ts";
import { openHistory, type History } from "../state/history.ts";
import { inspectLock } from "../state/lock.ts";
import { closeAll, sayDelivery } from "./delivery-phases.ts";
import { recall } from "./heal.ts";
import { openJobDestinations } from "./job-destinations.ts";
import { afterLaterDeliveries, waitingRun } from "./later-delivery.ts";
import { prepareRemote } from "./remote-care.ts";
import { spoolFolderOf } from "./spool.ts";
import { tellOfLaterSuccess } from "./tell-runs.ts";

export interface LaterContext extends TellContext {
  readonly jobs: readonly Job[];
}

/** Enough to find the last run that came due. */
const RUNS_LOOKED_AT = 50;
/** How often it is looked whether a run has begun, which goes first. */
const LOOK_EVERY_MS = 2_000;
const RECORD_LIMIT_MS = 30_000;

/**
 * Sends again what earlier runs could not deliver, from the local folder or the spool, and corrects their reports. It holds
 * no lock: it gives way as soon as a run begins. Never rejects.
 */
export async function deliverLater(context: LaterContext): Promise<RetryAnswer> {
  const { jobs, options, log } = context;
  const giveWay = new AbortController();
  const signal = AbortSignal.any([context.signal, giveWay.signal]);
  const lookForRun = (): void => {
    if (inspectLock({ path: options.lockFile })?.alive === true)
      giveWay.abort(new Interruption("signal", "a run has begun, which goes first"));
  };
  lookForRun();
  const timer = setInterval(lookForRun, LOOK_EVERY_MS);
  const history = await openHistory({ stateDir: options.stateDir, onNote: (text) => log.debug(text) });
  let pending = false;
  try {
    for (const job of jobs) {
      if (signal.aborted) pending = true;
      else
        pending =
          (await deliverJobLater({ ...context, signal, log: log.with({ job: job.name }) }, job, history)) || pending;
    }
  } catch (thrown) {
    log.warn(`could not send again what waits: ${messageOf(thrown)}`);
    pending = true;
  } finally {
    clearInterval(timer);
    history.close();
  }
  return { pending };
}

/** Whether something still waits. */
async function deliverJobLater(context: TellContext, job: Job, history: History): Promise<boolean> {
  const { options, log } = context;
  const destinations = await openJobDestinations(job, options.stateDir, (text) => log.warn(text));
  try {
    if (!history.persistent) await recall(history, job, destinations, context);
    const run = waitingRun(history.runs({ job: job.name, limit: RUNS_LOOKED_AT }));
    if (run === undefined) return false;
    const missing = destinations.filter(({ label }) =>
      run.deliveries.some(({ destination, status }) => destination === label && status === "failed"),
    );
    const archive = missing.length === 0 ? undefined : await openWaiting(run, job, context, destinations);
    if (archive === undefined) return false;
    try {
      const report = await sendAgain(context, job, run, archive, missing);
      history.update(report);
      await spreadReport(report, destinations, context);
      const isDone = report.deliveries.every(({ status }) => status === "stored");
      if (isDone) await dropKept(spoolFolderOf(job, options), [run]);
      if (report.status === "success" && run.status !== "success")
        await tellOfLaterSuccess(report, run, job, history, context);
      return !isDone;
    } finally {
      await archive.close();
    }
  } finally {
    await closeAll(destinations, log);
  }
}

/** The archive as the local folder or the spool has it; undefined where neither does. */
async function openWaiting(
  run: RunReport,
  job: Job,
  { options, log }: TaskContext,
  destinations: readonly Destination[],
): Promise<StoredArchive | undefined> {
  if (run.archive === undefined) return undefined;
  const { name, sizeBytes, sha256 } = run.archive;
  const isStoredAt = ({ label }: Destination): boolean =>
    run.deliveries.some(({ destination, status }) => destination === label && status === "stored");
  const folders = destinations.filter(isStoredAt).flatMap(({ folder }) => folder ?? []);
  const paths = [join(spoolFolderOf(job, options), keptName(run.id)), ...folders.map((folder) => join(folder, name))];
  for (const path of paths) {
    try {
      return await openStoredArchive(path, { sizeBytes, sha256 });
    } catch (thrown) {
      log.debug(`${path} can't be sent again: ${messageOf(thrown)}`);
    }
  }
  return undefined;
}

async function sendAgain(
  context: TaskContext,
  job: Job,
  run: RunReport,
  archive: StoredArchive,
  missing: readonly Destination[],
): Promise<RunReport> {
  const { log, clock, host, redact, signal } = context;
  const name = run.archive?.name ?? "";
  log.info(`sending ${name} again to ${missing.map(({ label }) => label).join(", ")}`, { run: run.id });
  const startedAtMs = clock.now();
  const later = await deliverAll(archive, missing, {
    name,
    owner: { host, job: job.name, runId: run.id },
    signal,
    clock,
    uploadLimit: createUploadLimit(job.values.get(UPLOAD_LIMIT)),
    prepare: prepareRemote({ context: { ...context, job }, interrupted: [], name }),
    onDone: (report) => sayDelivery(report, log),
  });
  // What was only interrupted was no try; the earlier reason stands.
  const told = signal.aborted ? later.filter(({ status }) => status === "stored") : later;
  const redacted = told.map((report): DeliveryReport =>
    report.error === undefined ? report : { ...report, error: redact(report.error) },
  );
  const failed = redacted.filter(({ status }) => status === "failed");
  return afterLaterDeliveries(run, redacted, {
    phase: "deliver",
    target: "later",
    startedAt: new Date(startedAtMs).toISOString(),
    durationMs: clock.now() - startedAtMs,
    outcome: failed.length === 0 ? "ok" : "failed",
    ...(failed[0]?.error === undefined ? {} : { detail: failed[0].error }),
  });
}

/** The record at every destination says so too, and the index lies beside the archive there as well. */
async function spreadReport(
  report: RunReport,
  destinations: readonly Destination[],
  { log }: TaskContext,
): Promise<void> {
  const isStored = ({ label }: Destination): boolean =>
    report.deliveries.some(({ destination, status }) => destination === label && status === "stored");
  const stored = destinations.filter(isStored);
  await Promise.all(
    stored.map(async (destination) => {
      const signal = AbortSignal.timeout(RECORD_LIMIT_MS);
      try {
        await orAborted(writeRecord(destination, report, signal), signal);
        const source = stored.find((other) => other.folder !== undefined);
        const isNew = report.deliveries.some(
          (one) => one.destination === destination.label && one.deliveredAt !== undefined,
        );
        if (isNew && source !== undefined) await copyIndex(source, destination, report, signal);
      } catch (thrown) {
        log.warn(`could not correct the record at ${destination.label}: ${messageOf(thrown)}`);
      }
    }),
  );
}
