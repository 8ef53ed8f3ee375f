import { hostname } from "node:os";
import type { Job } from "../contracts/job.ts";
import type { Log } from "../contracts/log.ts";
import type { RunReport } from "../contracts/run.ts";
import type { SerializedJob } from "../contracts/serialized-job.ts";
import type { ProcessOptions } from "../contracts/task.ts";
import { describeErrors } from "../config/describe.ts";
import type { LoadedConfig } from "../config/load.ts";
import { tellsAnybody } from "../config/parts.ts";
import { serializeJob } from "../config/serialize.ts";
import { systemClock } from "../lib/clock.ts";
import { localIso } from "../lib/iso-time.ts";
import { createScheduler, type Fire } from "../schedule/scheduler.ts";
import { openRuntime } from "../state/runtime.ts";
import { alertedOf, asHealAnswer, hasReported, leavesPending, tendTimeOf } from "./answers.ts";
import { createChildLine, describeEnd } from "./child-line.ts";
import { describeSchedule, scheduleOf } from "./describe.ts";
import { createNoteKeeper, type Notes } from "./notes.ts";
import { createConnectionCheck } from "./connections.ts";
import { createQueue } from "./queue.ts";
import { createRetries } from "./retries.ts";
import { watchConfig } from "./reload.ts";
import { configReport, failedReport, skippedReport } from "./reports.ts";
import { createTending } from "./tending.ts";
import { trimMemory } from "./trim.ts";

export interface DaemonOptions {
  readonly loaded: LoadedConfig;
  /** Reads the configuration again. `folderInUse`: where its jobs came from the last time. */
  reload(folderInUse: string | undefined): Promise<LoadedConfig>;
  /** Registers what a SIGHUP does. */
  onHangUp(act: () => void): void;
  /** What must not be shown from now on. */
  onSecrets(secrets: ReadonlySet<string>): void;
  readonly process: ProcessOptions;
  readonly log: Log;
  readonly version: string;
  /** The program's own entry file; children run it. */
  readonly entry: string;
  readonly signal: AbortSignal;
}

/** A child gets this long after SIGTERM to restart containers, clean up, record and notify. */
const CHILD_GRACE_MS = 8_000;
/** By then the configuration has been read a second time, and the heal child has ended. */
const TRIM_AFTER_START_MS = 6_000;

/**
 * The small process that stays: it knows when jobs are due and starts a child for each, one at a time. It loads no
 * archive, delivery, database or notification code. Returns when the signal asks for an end and all is quiet.
 */
export async function runDaemon(options: DaemonOptions): Promise<number> {
  const { log, signal, process: processOptions } = options;
  const runtime = openRuntime({ stateDir: processOptions.stateDir, onNote: (text) => log.warn(text) });
  const children = createChildLine(options.entry);
  const startedAt = new Date().toISOString();
  const origin = (): Parameters<typeof skippedReport>[1] => ({
    host: hostname(),
    version: options.version,
    nowMs: Date.now(),
  });
  let jobs = new Map<string, Job>();
  let alreadySaid: readonly string[] = [];
  const healed = Promise.withResolvers<void>();

  /** Gives when each job last fired, as far as anything remembers. */
  const heal = async (): Promise<Readonly<Record<string, number>>> => {
    const end = await children.run({
      kind: "heal",
      options: processOptions,
      jobs: [...jobs.values()].map(serializeJob),
    });
    const answer = asHealAnswer(end?.answer);
    if (answer === undefined && end !== undefined && !signal.aborted)
      log.warn(`looking after earlier runs failed: ${describeEnd(end)}`);
    alreadySaid = answer?.said ?? alreadySaid;
    if (answer?.pending === true) retries.expect();
    return answer?.lastFiredAtMs ?? {};
  };

  /** Jobs that can't run still know whom to tell, as far as their values are good. */
  const readable = new Map<string, SerializedJob>();
  const toldJob = (name: string): readonly SerializedJob[] => {
    const job = jobs.get(name);
    const known = job === undefined ? readable.get(name) : serializeJob(job);
    return known === undefined ? [] : [known];
  };
  const notes = createNoteKeeper(async (kept: Notes) => {
    const names = new Set([...kept.reports, ...kept.missed].map(({ job }) => job));
    const about = [...names].flatMap(toldJob);
    const end = await children.run({ kind: "note", options: processOptions, ...kept, jobs: about });
    if (end !== undefined && end.code !== 0) log.warn(`could not record what happened: ${describeEnd(end)}`);
    return end?.error === undefined;
  });
  const note = (report: RunReport): void => {
    notes.add(report);
    void notes.flush();
  };

  let alerted: readonly string[] = [];
  const tending = createTending(async () => {
    const all = [...jobs.values()].map(serializeJob);
    const end = await children.run({ kind: "tend", options: processOptions, jobs: all, alerted });
    if (end !== undefined && end.code !== 0 && !signal.aborted)
      log.warn(`sending what waits failed: ${describeEnd(end)}`);
    alerted = alertedOf(end?.answer) ?? alerted;
    return tendTimeOf(end?.answer);
  });

  const queue = createQueue({
    async run(fire) {
      // It would wait for healing anyway; only then is known what has been said.
      await healed.promise;
      const job = jobs.get(fire.job);
      if (job === undefined) return;
      const { trigger, firedAtMs } = fire;
      const end = await children.run({
        kind: "run",
        options: processOptions,
        job: serializeJob(job),
        trigger,
        firedAtMs,
        alreadySaid,
      });
      if (end?.error !== undefined) {
        log.error(`the run could not be started: ${end.error}`, { job: fire.job });
        notes.add(failedReport(fire, `the run could not be started: ${end.error}`, origin()));
      } else if (end !== undefined && !hasReported(end.answer)) {
        log.error(`the run was killed: ${describeEnd(end)}`, { job: fire.job });
        await heal();
      } else if (leavesPending(end?.answer)) retries.expect();
      tending.at(tendTimeOf(end?.answer));
      await notes.flush();
      notes.runEnded(fire.job);
      trimMemory();
    },
    onSkipped(fire) {
      log.warn("still running (or waiting) from the last time, so this run is skipped", { job: fire.job });
      note(skippedReport(fire, origin()));
    },
  });

  const retries = createRetries({
    isBusy: () => queue.busy,
    async attempt() {
      const serialized = [...jobs.values()].map(serializeJob);
      const end = await children.run({ kind: "retry", options: processOptions, jobs: serialized });
      trimMemory();
      // One that was killed may have done nothing.
      return end !== undefined && (end.answer === undefined || leavesPending(end.answer));
    },
  });
  const connections = createConnectionCheck(options.entry, processOptions, () => queue.busy);

  const scheduler = createScheduler({
    clock: systemClock,
    host: hostname(),
    random: Math.random,
    onFire: (fire: Fire) => queue.add(fire),
    onMissed(job, missedAtMs, caughtUp) {
      log.warn(
        `a run that was due at ${localIso(missedAtMs)} was missed${caughtUp ? "; it is caught up shortly" : ""}`,
        { job },
      );
      notes.addMissed({ job, dueAtMs: missedAtMs, isCaughtUp: caughtUp });
      void notes.flush();
    },
    onTick() {
      runtime.touchHeartbeat();
      // A second daemon that has ended took with it what told of this one.
      if (runtime.readDaemon() === undefined) showJobs();
      if (!runtime.takeLeftovers()) return;
      retries.expect();
      tending.at(Date.now());
    },
  });

  const showJobs = (): void => {
    const times = scheduler.nextTimes();
    runtime.writeDaemon({ startedAt, jobs: [...jobs.keys()].map((job) => ({ job, next: isoOf(times.get(job)) })) });
  };

  const saidSchedules = new Map<string, string>();
  const apply = (next: readonly Job[]): void => {
    connections.check(next.filter((job) => jobs.get(job.name) !== job));
    jobs = new Map(next.map((job) => [job.name, job]));
    scheduler.replace(next);
    if (next.some(tellsAnybody)) tending.at(Date.now());
    const times = scheduler.nextTimes();
    for (const job of next) {
      const schedule = scheduleOf(job);
      if (saidSchedules.get(job.name) !== schedule)
        log.info(describeSchedule(job, times.get(job.name)), { job: job.name });
      saidSchedules.set(job.name, schedule);
    }
    showJobs();
  };
  const keepBroken = (job: string, problems: readonly string[], values: SerializedJob | undefined): void => {
    if (values !== undefined) readable.set(job, values);
    note(configReport(job, problems, origin()));
  };

  const stopped = new Promise<void>((resolve) => {
    const stop = (): void => {
      log.info("stopping");
      scheduler.stop();
      retries.stop();
      connections.stop();
      queue.close();
      tending.stop();
      children.stop(CHILD_GRACE_MS);
      resolve();
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  const other = runtime.readDaemon();
  if (other !== undefined)
    log.warn(
      `another daemon runs these jobs already (process ${other.process.pid}, since ${other.startedAt}): each runs twice; end one of the two`,
    );
  runtime.touchHeartbeat();
  // First, since a SIGHUP means an end until then.
  watchConfig({ ...options, onJobs: apply, onBroken: keepBroken });
  apply(options.loaded.jobs);
  const lastFiredAtMs = await heal();
  healed.resolve();
  for (const { name, problems, readable: values } of options.loaded.broken) {
    keepBroken(name, describeErrors(problems), values);
  }

  if (!signal.aborted) for (const [job, lastMs] of Object.entries(lastFiredAtMs)) scheduler.catchUp(job, lastMs);
  const trimTimer = setTimeout(trimMemory, TRIM_AFTER_START_MS);

  await stopped;
  clearTimeout(trimTimer);
  await queue.idle();
  await notes.flush();
  runtime.clearDaemon();
  runtime.removeHeartbeat();
  log.info("stopped");
  return 0;
}

function isoOf(ms: number | undefined): string[] {
  return ms === undefined ? [] : [new Date(ms).toISOString()];
}
