import { hostname } from "node:os";
import type { Job } from "../contracts/job.ts";
import type { Log } from "../contracts/log.ts";
import type { RunReport } from "../contracts/run.ts";
import type { HealAnswer, ProcessOptions } from "../contracts/task.ts";
import { serializeJob } from "../config/serialize.ts";
import type { LoadedConfig } from "../config/load.ts";
import { systemClock } from "../lib/clock.ts";
import { createScheduler, type Fire } from "../schedule/scheduler.ts";
import { openRuntime } from "../state/runtime.ts";
import { startChild, type Child, type ChildEnd } from "./children.ts";
import { createQueue } from "./queue.ts";
import { createNoteKeeper } from "./notes.ts";
import { configReport, skippedReport } from "./reports.ts";
import { watchConfig } from "./reload.ts";
import { describeSchedule, scheduleOf } from "./describe.ts";
import { trimMemory } from "./trim.ts";

export interface DaemonOptions {
  readonly loaded: LoadedConfig;
  /** Reads the configuration again. */
  reload(): Promise<LoadedConfig>;
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
  const { log, entry } = options;
  const host = hostname();
  const runtime = openRuntime({ stateDir: options.process.stateDir, onNote: (text) => log.warn(text) });
  let jobs = new Map<string, Job>(options.loaded.jobs.map((job) => [job.name, job]));
  let current: Child | undefined;
  let alreadySaid: readonly string[] = [];

  const oneChild = async (child: Child): Promise<ChildEnd> => {
    current = child;
    const end = await child.ended;
    current = undefined;
    return end;
  };
  const heal = async (): Promise<HealAnswer | undefined> => {
    const task = { kind: "heal", options: options.process, jobs: [...jobs.values()].map(serializeJob) } as const;
    const end = await oneChild(startChild(task, entry));
    const answer = asHealAnswer(end.answer);
    if (answer === undefined && !options.signal.aborted) log.warn(`looking after earlier runs failed: ${describeEnd(end)}`);
    alreadySaid = answer?.said ?? alreadySaid;
    return answer;
  };

  const notes = createNoteKeeper(async (reports: readonly RunReport[]) => {
    const end = await startChild({ kind: "note", options: options.process, reports }, entry).ended;
    if (end.code !== 0) log.warn(`could not record what happened: ${describeEnd(end)}`);
  });

  const queue = createQueue({
    async run(fire) {
      const job = jobs.get(fire.job);
      if (job === undefined) return;
      const { trigger, firedAtMs } = fire;
      const task = { kind: "run", options: options.process, job: serializeJob(job), trigger, firedAtMs, alreadySaid } as const;
      const end = await oneChild(startChild(task, entry));
      if (end.code === undefined) {
        log.error(`the run was killed: ${describeEnd(end)}`, { job: fire.job });
        if (!options.signal.aborted) await heal();
      }
      await notes.flush();
      trimMemory();
    },
    onSkipped(fire) {
      log.warn("still running (or waiting) from the last time, so this run is skipped", { job: fire.job });
      notes.add(skippedReport(fire, { host, version: options.version, nowMs: Date.now() }));
      if (!queue.busy) void notes.flush();
    },
  });

  const scheduler = createScheduler({
    clock: systemClock,
    host,
    random: Math.random,
    onFire: (fire: Fire) => queue.add(fire),
    onMissed(job, missedAtMs, caughtUp) {
      const when = new Date(missedAtMs).toISOString();
      log.warn(`a run that was due at ${when} was missed${caughtUp ? "; it is caught up shortly" : ""}`, { job });
    },
    onTick: () => void runtime.touchHeartbeat(),
  });

  const said = new Map<string, string>();
  const apply = (next: readonly Job[]): void => {
    jobs = new Map(next.map((job) => [job.name, job]));
    scheduler.replace(next);
    const times = scheduler.nextTimes();
    for (const job of next) {
      const schedule = scheduleOf(job);
      if (said.get(job.name) !== schedule) log.info(describeSchedule(job, times.get(job.name)), { job: job.name });
      said.set(job.name, schedule);
    }
    runtime.writeDaemon({
      startedAt: new Date(startedAtMs).toISOString(),
      jobs: next.map(({ name }) => ({ job: name, next: isoOf(times.get(name)) })),
    });
  };

  const startedAtMs = Date.now();
  runtime.touchHeartbeat();
  apply(options.loaded.jobs);
  const healed = await heal();
  for (const [job, lastMs] of Object.entries(healed?.lastFiredAtMs ?? {})) scheduler.catchUp(job, lastMs);
  watchConfig({
    loaded: options.loaded,
    reload: options.reload,
    log,
    signal: options.signal,
    onSecrets: options.onSecrets,
    onJobs: apply,
    onBroken: (name, problems) => {
      notes.add(configReport(name, problems, { host, version: options.version, nowMs: Date.now() }));
      if (!queue.busy) void notes.flush();
    },
  });

  const trimTimer = setTimeout(trimMemory, TRIM_AFTER_START_MS);
  await new Promise<void>((resolve) => {
    if (options.signal.aborted) resolve();
    else options.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  clearTimeout(trimTimer);
  log.info("stopping");
  scheduler.stop();
  queue.close();
  current?.stop(CHILD_GRACE_MS);
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

function describeEnd(end: ChildEnd): string {
  if (end.error !== undefined) return end.error;
  if (end.signal === "SIGKILL") return "SIGKILL (out of memory, or killed by hand)";
  return end.signal ?? `exit code ${end.code ?? "unknown"}`;
}

function asHealAnswer(answer: unknown): HealAnswer | undefined {
  if (typeof answer !== "object" || answer === null || !("lastFiredAtMs" in answer) || !("said" in answer)) return undefined;
  const { lastFiredAtMs, said } = answer;
  if (typeof lastFiredAtMs !== "object" || lastFiredAtMs === null || !Array.isArray(said)) return undefined;
  const times: Record<string, number> = {};
  for (const [job, value] of Object.entries(lastFiredAtMs)) if (typeof value === "number") times[job] = value;
  return { lastFiredAtMs: times, said: said.filter((text) => typeof text === "string") };
}
