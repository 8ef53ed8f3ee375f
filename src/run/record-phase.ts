import type { Destination } from "../contracts/destination.ts";
import type { Log } from "../contracts/log.ts";
import type { RunReport } from "../contracts/run.ts";
import type { RunContext } from "./context.ts";
import type { Recorder } from "./recorder.ts";
import { recordsByArchive } from "../delivery/record-of-archive.ts";
import { pruneRecords, readRecords, writeRecord } from "../delivery/records.ts";
import { orAborted } from "../lib/abortable.ts";
import { formatSpan } from "../lib/bytes.ts";
import { DestinationError, messageOf } from "../lib/errors.ts";
import type { History } from "../state/history.ts";
import { HISTORY_DAYS } from "../state/settings.ts";

/** A destination that did not take the archive gets this long for the record, all of them at the same time. */
const RECORD_LIMIT_MS = 5_000;
/** A run that is being stopped has little time, and a message to send after this. */
const STOPPED_RECORD_LIMIT_MS = 2_000;
/** A store that has just taken the archive may be far away and slow. */
const CALM_RECORD_LIMIT_MS = 30_000;

/**
 * Leaves a record of the running run where that is cheap (the local folder), so that a kill is noticed at the next start
 * even if the state folder is gone by then.
 */
export async function recordStart(destinations: readonly Destination[], report: RunReport, log: Log): Promise<void> {
  for (const destination of destinations) {
    if (destination.kind !== "local") continue;
    try {
      await writeRecord(destination, report, AbortSignal.timeout(RECORD_LIMIT_MS));
    } catch (thrown) {
      log.debug(`no record at ${destination.label} yet: ${messageOf(thrown)}`);
    }
  }
}

interface RecordInput {
  readonly context: RunContext;
  readonly recorder: Recorder;
  readonly history: History;
  readonly destinations: readonly Destination[];
}

/** Closes the run, in the history and beside the archives. A record that can't be written is said and changes no status. */
export async function recordRun({ context, recorder, history, destinations }: RecordInput): Promise<RunReport> {
  const { job, log } = context;
  const days = job.values.get(HISTORY_DAYS);
  const ended = recorder.report("end");
  const leave = async (destination: Destination): Promise<void> => {
    const isWell = ended.deliveries.some(
      ({ destination: label, status }) => label === destination.label && status === "stored",
    );
    const isStopped = context.signal.aborted;
    const calmLimitMs = isWell ? CALM_RECORD_LIMIT_MS : RECORD_LIMIT_MS;
    const limitMs = isStopped ? STOPPED_RECORD_LIMIT_MS : calmLimitMs;
    const signal = AbortSignal.any([
      AbortSignal.timeout(limitMs),
      abortedAfter(context.signal, STOPPED_RECORD_LIMIT_MS),
    ]);
    const whyNot = (thrown: unknown): string =>
      thrown === signal.reason ? `not done within ${formatSpan(limitMs)}` : messageOf(thrown);
    try {
      await recorder.step("record", destination.label, () =>
        orAborted(writeRecord(destination, ended, signal), signal),
      );
    } catch (thrown) {
      log.warn(`could not leave a record at ${destination.label}: ${whyNot(thrown)}`);
      return;
    }
    if (!isWell || context.signal.aborted || days <= 0) return;
    try {
      const unstopped = AbortSignal.any([signal, context.signal]);
      await orAborted(pruneRecords(destination, job.name, days, unstopped), unstopped);
    } catch (thrown) {
      if (context.signal.aborted) return;
      const text = `could not remove old records at ${destination.label}: ${whyNot(thrown)}`;
      // Credentials that can only write are good practice, and the record itself is there.
      if (thrown instanceof DestinationError && thrown.code === "denied") log.debug(text);
      else log.warn(text);
    }
  };
  await Promise.all(destinations.map(leave));
  const report = recorder.report("end");
  history.update(report);
  if (days > 0) history.prune(days);
  return report;
}

/** Aborts so long after `signal` did, with its reason. */
function abortedAfter(signal: AbortSignal, graceMs: number): AbortSignal {
  const late = new AbortController();
  const arm = (): void => void setTimeout(() => late.abort(signal.reason), graceMs).unref();
  if (signal.aborted) arm();
  else signal.addEventListener("abort", arm, { once: true });
  return late.signal;
}

/** The other job that a record gives this archive name to, if any: jobs that share a folder must not meet. */
export async function nameTakenBy(
  destination: Destination,
  name: string,
  job: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  let exists = false;
  for await (const archive of destination.list("archive", signal)) exists ||= archive.name === name;
  if (!exists) return undefined;
  const records = await readRecords(destination, undefined, { signal, limit: 100_000 });
  const owner = recordsByArchive(records, destination.label).get(name);
  return owner === undefined || owner.job === job ? undefined : owner.job;
}
