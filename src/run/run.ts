import type { Destination } from "../contracts/destination.ts";
import type { RunReport } from "../contracts/run.ts";
import type { RunContext } from "./context.ts";
import { openJobDestinations } from "./job-destinations.ts";
import { formatBytes, formatSpan } from "../lib/bytes.ts";
import { sleep } from "../lib/clock.ts";
import { messageOf, UserError } from "../lib/errors.ts";
import { acquireLock, LockTimeout, type RunLock } from "../state/lock.ts";
import { openHistory } from "../state/history.ts";
import { openRuntime } from "../state/runtime.ts";
import { closeAll } from "./delivery-phases.ts";
import { healBeforeRun, recall } from "./heal.ts";
import { startHealthcheck } from "./healthcheck.ts";
import { interruptionOf, runSignal } from "../lib/interruption.ts";
import { createRunIndex } from "./index-phase.ts";
import { createRecorder } from "./recorder.ts";
import { recordRun, recordStart } from "./record-phase.ts";
import { tellAgain } from "./tell.ts";
import { tellOfInterrupted, tellOfRun } from "./tell-runs.ts";
import { warnAboutDocker } from "./docker-warning.ts";
import { BACKUP_TIMEOUT, LOCK_TIMEOUT } from "./settings.ts";
import { storeArchive } from "./store-archive.ts";

/** Longer than `createArchive` itself waits for its threads after an abort. */
const STUCK_AFTER_MS = 2_000;

export interface RunOutcome {
  readonly report: RunReport;
  /** The run never began, because another one held the lock until `LOCK_TIMEOUT`. */
  readonly locked: boolean;
  /** A read that never returns (a dead network mount) still holds a thread: only a kill ends the process. */
  readonly isStuck: boolean;
}

/**
 * One run from the lock to the record. Never rejects: whatever happens is in the report. The phases stand below in their
 * order; nothing that one of them does can skip the record.
 */
export async function runJob(context: RunContext): Promise<RunOutcome> {
  const { job, log, clock, options } = context;
  const recorder = createRecorder({
    job: job.name,
    host: context.host,
    version: context.version,
    trigger: context.trigger,
    firedAtMs: context.firedAtMs,
    clock,
    redact: context.redact,
  });
  const say = (text: string): void => {
    if (context.alreadySaid.has(text)) log.debug(text);
    else log.warn(text);
  };
  context.logTail.clear();
  const history = await openHistory({ stateDir: options.stateDir, onNote: say });
  const healthcheck = startHealthcheck(context);
  history.begin(recorder.report());
  const timeoutMs = job.values.get(BACKUP_TIMEOUT);
  const bounded = runSignal(
    context.signal,
    timeoutMs,
    `the run took longer than BACKUP_TIMEOUT (${formatSpan(timeoutMs)})`,
  );
  let locked = false;
  let lock: RunLock | undefined;
  const workers: Promise<void>[] = [];
  let destinations: readonly Destination[] = [];
  let dead: readonly RunReport[] = [];
  try {
    lock = await recorder.step("lock", undefined, () =>
      acquireLock({
        path: options.lockFile,
        timeoutMs: job.values.get(LOCK_TIMEOUT),
        signal: bounded.signal,
        job: job.name,
        runId: recorder.id,
        onWait: (holder) => log.info("waiting for another run to end", { holder: holder?.job ?? "unknown" }),
        onNote: say,
      }),
    );
    log.info(`run started (${context.trigger})`, { run: recorder.id });
    warnAboutDocker(job, recorder, log);
    destinations = await openJobDestinations(job, options.stateDir, (text) => {
      recorder.note(text);
      log.warn(text);
    });
    const { signal } = bounded;
    const interrupted = await healBeforeRun({ ...context, signal }, job, history, destinations);
    dead = interrupted;
    if (!history.persistent) await recall(history, job, destinations, { ...context, signal });
    await recordStart(destinations, recorder.report(), log);
    const index = createRunIndex(context);
    await storeArchive({ context, recorder, history, destinations, signal, workers, interrupted, index });
  } catch (thrown) {
    locked = thrown instanceof LockTimeout;
    const interruption = interruptionOf(bounded.signal);
    if (interruption?.kind === "signal") recorder.interrupt(interruption.message);
    else recorder.fail(explain(interruption ?? thrown));
  } finally {
    bounded.end();
    openRuntime({ stateDir: options.stateDir }).clearProgress();
  }
  try {
    const recorded = await recordRun({ context, recorder, history, destinations });
    await closeAll(destinations, log);
    sayOutcome(context, recorded);
    const lines = context.logTail.lines();
    const tellAll = async (): Promise<RunReport> => {
      // In their order: who reads the last message knows how things stand.
      await tellOfInterrupted(dead, context.allJobs ?? [job], history, context);
      return tellOfRun(recorded, job, lines, history, context);
    };
    const [report] = await Promise.all([tellAll(), healthcheck.ended(recorded, lines)]);
    history.close();
    // Without a daemon nobody else would.
    await tellAgain([job], context);
    return { report, locked, isStuck: await isStuck(workers) };
  } finally {
    // Only now: whoever holds the lock may take a record that still says `running` for that of a dead run.
    lock?.release();
  }
}

function explain(thrown: unknown): string {
  const text = messageOf(thrown);
  return thrown instanceof UserError && thrown.hint !== undefined ? `${text} (hint: ${thrown.hint})` : text;
}

function sayOutcome(context: RunContext, report: RunReport): void {
  const { log } = context;
  const tookMs = Date.parse(report.endedAt ?? report.startedAt) - Date.parse(report.startedAt);
  const fields = {
    run: report.id,
    ...(report.archive === undefined
      ? {}
      : {
          archive: report.archive.name,
          size: formatBytes(report.archive.sizeBytes),
          files: report.archive.counts.files,
        }),
    took: formatSpan(tookMs),
  };
  for (const warning of report.warnings) if (warning.level === "warning") log.warn(warning.text);
  if (report.status === "success") log.info("run succeeded", fields);
  else if (report.status === "partial") log.warn(`run partly succeeded: ${report.error ?? ""}`, fields);
  else log.error(`run ${report.status}: ${report.error ?? ""}`, fields);
}

/** The abort gave the worker its time already; a moment is for its last message. */
async function isStuck(workers: readonly Promise<void>[]): Promise<boolean> {
  const gone = Promise.all(workers).then(() => false);
  return Promise.race([gone, sleep(STUCK_AFTER_MS).then(() => true)]);
}
