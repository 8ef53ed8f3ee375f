import type { Destination } from "../contracts/destination.ts";
import type { Log } from "../contracts/log.ts";
import type { RunReport } from "../contracts/run.ts";
import type { RunContext } from "./context.ts";
import type { Recorder } from "./recorder.ts";
import { pruneRecords, readRecords, writeRecord } from "../delivery/records.ts";
import { messageOf } from "../lib/errors.ts";
import type { History } from "../state/history.ts";
import { HISTORY_DAYS } from "../state/settings.ts";

/** A run that is being stopped still gets this long to leave its record at each destination. */
const RECORD_LIMIT_MS = 5_000;

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
  for (const destination of destinations) {
    const signal = AbortSignal.timeout(RECORD_LIMIT_MS);
    try {
      await recorder.step("record", destination.label, async () => {
        await writeRecord(destination, ended, signal);
        if (!context.signal.aborted && days > 0) await pruneRecords(destination, job.name, days, signal);
      });
    } catch (thrown) {
      log.warn(`could not leave a record at ${destination.label}: ${messageOf(thrown)}`);
    }
  }
  const report = recorder.report("end");
  history.update(report);
  if (days > 0) history.prune(days);
  return report;
}

/** The other job that a record gives this archive name to, if any: jobs that share a folder must not meet. */
export async function nameTakenBy(
  destinations: readonly Destination[],
  name: string,
  job: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const destination of destinations) {
    if (destination.kind !== "local") continue;
    let exists = false;
    for await (const archive of destination.list("archive", signal)) exists ||= archive.name === name;
    if (!exists) continue;
    const records = await readRecords(destination, undefined, { signal, limit: 100_000 });
    const owner = records.find((record) => record.archive?.name === name);
    if (owner !== undefined && owner.job !== job) return owner.job;
  }
  return undefined;
}
