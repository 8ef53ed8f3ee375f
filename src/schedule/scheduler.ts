import type { Job } from "../contracts/job.ts";
import type { RunTrigger } from "../contracts/run.ts";
import type { Clock } from "../lib/clock.ts";
import { parseCron, type CronSchedule } from "../golang/cron.ts";
import { zoneOf } from "../lib/zone-setting.ts";
import { BACKUP_CATCH_UP, BACKUP_CRON_EXPRESSION, BACKUP_JITTER } from "./settings.ts";

/** A job is due. `firedAtMs` is the moment that the schedule named: the time in the archive's name. */
export interface Fire {
  readonly job: string;
  readonly trigger: RunTrigger;
  readonly firedAtMs: number;
}

export interface SchedulerOptions {
  readonly clock: Clock;
  readonly host: string;
  /** 0 to below 1; for the jitter. */
  random(): number;
  onFire(fire: Fire): void;
  /** A run was due while nobody could start it. `caughtUp` tells whether a run follows. */
  onMissed(job: string, missedAtMs: number, caughtUp: boolean): void;
  /** Woken at least every 20 s, whether something was due or not (the heartbeat hangs on it). */
  onTick?(): void;
}

export interface Scheduler {
  /** Replaces the jobs. Jobs whose schedule is unchanged keep their next time; waiting runs of removed jobs are dropped. */
  replace(jobs: readonly Job[]): void;
  /** A run that fired at `lastFiredAtMs` is the last known one: if another was due since, it is caught up once. */
  catchUp(job: string, lastFiredAtMs: number): void;
  /** Next fire of each job; absent where the expression never fires. */
  nextTimes(): ReadonlyMap<string, number>;
  stop(): void;
}

interface Entry {
  job: Job;
  expression: string;
  zone: string;
  schedule: CronSchedule;
  nextMs: number | undefined;
  /** Fires held back by jitter or spread. */
  waiting: Set<NodeJS.Timeout>;
}

/** A fire found this late was missed: the machine slept, the clock jumped or the process was stopped. */
const LATE_MS = 60_000;
/** Longest sleep. Bounds how long a jump of the clock stays unseen, and keeps the heartbeat alive. */
const LONGEST_SLEEP_MS = 20_000;
const CATCH_UP_SPREAD_MS = 5 * 60_000;

export function createScheduler(options: SchedulerOptions): Scheduler {
  const { clock } = options;
  const entries = new Map<string, Entry>();
  let timer: NodeJS.Timeout | undefined;
  let lastTickMs = clock.now();
  let stopped = false;

  const later = (entry: Entry, delayMs: number, fire: () => void): void => {
    if (delayMs <= 0) {
      fire();
      return;
    }
    const handle = setTimeout(
      () => {
        entry.waiting.delete(handle);
        fire();
      },
      Math.min(delayMs, 2_147_483_647),
    );
    entry.waiting.add(handle);
  };

  const catchUpOrReport = (entry: Entry, missedAtMs: number, now: number): void => {
    const wanted = entry.job.values.get(BACKUP_CATCH_UP);
    const spreadMs = stableSpread(options.host, entry.job.name);
    // A scheduled run that comes first anyway makes the catch-up pointless.
    const superseded = entry.nextMs !== undefined && entry.nextMs <= now + spreadMs;
    const caughtUp = wanted && !superseded;
    options.onMissed(entry.job.name, missedAtMs, caughtUp);
    if (!caughtUp) return;
    later(entry, spreadMs, () => options.onFire({ job: entry.job.name, trigger: "catch-up", firedAtMs: clock.now() }));
  };

  const fireDue = (entry: Entry, now: number): void => {
    const due = entry.nextMs;
    if (due === undefined || due > now) return;
    entry.nextMs = entry.schedule.next(now);
    if (now - due > LATE_MS) {
      catchUpOrReport(entry, due, now);
      return;
    }
    const jitterMs = Math.max(0, entry.job.values.get(BACKUP_JITTER)) * options.random();
    later(entry, jitterMs, () => options.onFire({ job: entry.job.name, trigger: "schedule", firedAtMs: due }));
  };

  const tick = (): void => {
    if (stopped) return;
    const now = clock.now();
    const wentBack = now < lastTickMs - LATE_MS;
    lastTickMs = now;
    for (const entry of entries.values()) {
      if (wentBack) entry.nextMs = entry.schedule.next(now);
      fireDue(entry, now);
    }
    options.onTick?.();
    arm();
  };

  const arm = (): void => {
    clearTimeout(timer);
    if (stopped) return;
    const now = clock.now();
    // Counted from the last tick: jobs that are replaced again and again must not put it off.
    let sleepMs = LONGEST_SLEEP_MS - Math.max(0, now - lastTickMs);
    for (const { nextMs } of entries.values()) {
      if (nextMs !== undefined) sleepMs = Math.min(sleepMs, nextMs - now);
    }
    // Timers may fire a millisecond early; the extra one keeps a fire from being asked for twice.
    timer = setTimeout(tick, Math.max(1, sleepMs + 1));
  };

  return {
    replace(jobs) {
      const names = new Set(jobs.map((job) => job.name));
      for (const [name, entry] of entries) {
        if (names.has(name)) continue;
        for (const handle of entry.waiting) clearTimeout(handle);
        entries.delete(name);
      }
      const now = clock.now();
      for (const job of jobs) {
        const expression = job.values.get(BACKUP_CRON_EXPRESSION);
        const zone = zoneOf(job.values);
        const known = entries.get(job.name);
        if (known?.expression === expression && known.zone === zone) {
          known.job = job;
          continue;
        }
        const schedule = parseCron(expression, zone);
        const waiting = known?.waiting ?? new Set<NodeJS.Timeout>();
        entries.set(job.name, { job, expression, zone, schedule, nextMs: schedule.next(now), waiting });
      }
      arm();
    },
    catchUp(name, lastFiredAtMs) {
      const entry = entries.get(name);
      if (entry === undefined) return;
      const now = clock.now();
      const missedAtMs = entry.schedule.next(lastFiredAtMs);
      if (missedAtMs !== undefined && missedAtMs <= now) catchUpOrReport(entry, missedAtMs, now);
    },
    nextTimes() {
      const times = new Map<string, number>();
      for (const [name, { nextMs }] of entries) if (nextMs !== undefined) times.set(name, nextMs);
      return times;
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      for (const entry of entries.values()) for (const handle of entry.waiting) clearTimeout(handle);
    },
  };
}

/** The same for the same host and job at every start, so that many sidecars of one machine don't all begin at once. */
export function stableSpread(host: string, job: string): number {
  return Math.floor((hash32(`${host}\0${job}`) / 2 ** 32) * CATCH_UP_SPREAD_MS);
}

/** FNV-1a with a final mix (MurmurHash3's), so that similar names spread as well; a crypto library is not loaded for it. */
function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
