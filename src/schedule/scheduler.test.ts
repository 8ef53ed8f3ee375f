import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Job } from "../contracts/job.ts";
import { createValues } from "../config/values.ts";
import { createScheduler, stableSpread, type Fire, type Scheduler } from "./scheduler.ts";

const NOON = Date.parse("2026-06-15T12:00:00Z");
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

function job(name: string, raw: Record<string, string>): Job {
  const all = { TZ: "UTC", ...raw };
  return { name, origin: { kind: "environment" }, raw: all, values: createValues(all), environment: {} };
}

let fires: Fire[];
let missed: { job: string; at: string; caughtUp: boolean }[];
let ticks: number;
let scheduler: Scheduler;

beforeEach(() => {
  vi.useFakeTimers({ now: NOON });
  fires = [];
  missed = [];
  ticks = 0;
  scheduler = createScheduler({
    clock: { now: () => Date.now() },
    host: "host",
    random: () => 0.5,
    onFire: (fire) => fires.push(fire),
    onMissed: (name, at, caughtUp) => missed.push({ job: name, at: new Date(at).toISOString(), caughtUp }),
    onTick: () => {
      ticks += 1;
    },
  });
});
afterEach(() => {
  scheduler.stop();
  vi.useRealTimers();
});

const times = (): string[] => fires.map((fire) => new Date(fire.firedAtMs).toISOString());

describe("on time", () => {
  it("fires with the scheduled moment, again and again", () => {
    scheduler.replace([job("a", { BACKUP_CRON_EXPRESSION: "*/15 * * * *" })]);
    vi.advanceTimersByTime(31 * MINUTE);
    expect(times()).toEqual(["2026-06-15T12:15:00.000Z", "2026-06-15T12:30:00.000Z"]);
    expect(fires[0]).toMatchObject({ job: "a", trigger: "schedule" });
  });

  it("fires every second where the expression says so, none twice", () => {
    scheduler.replace([job("a", { BACKUP_CRON_EXPRESSION: "* * * * * *" })]);
    vi.advanceTimersByTime(5 * SECOND + 500);
    expect(new Set(times()).size).toBe(fires.length);
    expect(fires).toHaveLength(5);
  });

  it("holds a run back by the jitter, but keeps its moment", () => {
    scheduler.replace([job("a", { BACKUP_CRON_EXPRESSION: "0 13 * * *", BACKUP_JITTER: "10m" })]);
    vi.advanceTimersByTime(HOUR + 4 * MINUTE);
    expect(fires).toHaveLength(0);
    vi.advanceTimersByTime(2 * MINUTE);
    expect(times()).toEqual(["2026-06-15T13:00:00.000Z"]);
  });

  it("never fires an expression that never comes due, and says so", () => {
    scheduler.replace([job("a", { BACKUP_CRON_EXPRESSION: "0 0 5 31 2 ?" })]);
    expect(scheduler.nextTimes().has("a")).toBe(false);
    vi.advanceTimersByTime(48 * HOUR);
    expect(fires).toHaveLength(0);
  });

  it("wakes at least every 20 seconds and hardly more often", () => {
    scheduler.replace([job("a", { BACKUP_CRON_EXPRESSION: "@yearly" })]);
    vi.advanceTimersByTime(HOUR);
    expect(ticks).toBeGreaterThanOrEqual(179);
    expect(ticks).toBeLessThanOrEqual(181);
  });

  it("wakes no later where the jobs are replaced again and again", () => {
    for (let second = 0; second < 60; second += 4) {
      scheduler.replace([job("a", { BACKUP_CRON_EXPRESSION: "@yearly", BACKUP_RETENTION_DAYS: `${second}` })]);
      vi.advanceTimersByTime(4 * SECOND);
    }
    expect(ticks).toBeGreaterThanOrEqual(2);
    expect(ticks).toBeLessThanOrEqual(4);
  });
});

describe("replaced", () => {
  it("keeps the next time of an unchanged schedule, takes new ones, forgets removed jobs", () => {
    scheduler.replace([
      job("keep", { BACKUP_CRON_EXPRESSION: "@every 1h" }),
      job("gone", { BACKUP_CRON_EXPRESSION: "30 * * * *" }),
    ]);
    vi.advanceTimersByTime(20 * MINUTE);
    scheduler.replace([
      job("keep", { BACKUP_CRON_EXPRESSION: "@every 1h", BACKUP_JITTER: "0s" }),
      job("new", { BACKUP_CRON_EXPRESSION: "45 * * * *" }),
    ]);
    vi.advanceTimersByTime(41 * MINUTE);
    expect(fires.map((fire) => fire.job)).toEqual(["new", "keep"]);
  });

  it("drops a run of a removed job that the jitter holds back", () => {
    scheduler.replace([job("a", { BACKUP_CRON_EXPRESSION: "0 13 * * *", BACKUP_JITTER: "10m" })]);
    vi.advanceTimersByTime(HOUR + MINUTE);
    scheduler.replace([]);
    vi.advanceTimersByTime(HOUR);
    expect(fires).toHaveLength(0);
  });
});

describe("missed", () => {
  it("catches up once, after the stable spread, however many were missed", () => {
    scheduler.replace([job("a", { BACKUP_CRON_EXPRESSION: "@daily" })]);
    scheduler.catchUp("a", NOON - 72 * HOUR);
    expect(missed).toEqual([{ job: "a", at: "2026-06-13T00:00:00.000Z", caughtUp: true }]);
    vi.advanceTimersByTime(5 * MINUTE);
    expect(fires).toEqual([{ job: "a", trigger: "catch-up", firedAtMs: NOON + Math.trunc(stableSpread("host", "a")) }]);
  });

  it("catches nothing up where none was missed, or where it is switched off", () => {
    scheduler.replace([
      job("a", { BACKUP_CRON_EXPRESSION: "@daily" }),
      job("off", { BACKUP_CRON_EXPRESSION: "@daily", BACKUP_CATCH_UP: "false" }),
    ]);
    scheduler.catchUp("a", NOON - 11 * HOUR);
    scheduler.catchUp("off", NOON - 72 * HOUR);
    expect(missed).toEqual([{ job: "off", at: "2026-06-13T00:00:00.000Z", caughtUp: false }]);
    vi.advanceTimersByTime(10 * MINUTE);
    expect(fires).toHaveLength(0);
  });

  it("leaves it to the next scheduled run where that comes first", () => {
    scheduler.replace([job("a", { BACKUP_CRON_EXPRESSION: "* * * * * *" })]);
    scheduler.catchUp("a", NOON - HOUR);
    expect(missed[0]?.caughtUp).toBe(false);
  });

  it("notices that the machine slept", () => {
    scheduler.replace([job("a", { BACKUP_CRON_EXPRESSION: "0 13 * * *" })]);
    vi.setSystemTime(NOON + 10 * HOUR);
    vi.advanceTimersByTime(21 * SECOND);
    expect(missed).toEqual([{ job: "a", at: "2026-06-15T13:00:00.000Z", caughtUp: true }]);
    vi.advanceTimersByTime(5 * MINUTE);
    expect(fires.map((fire) => fire.trigger)).toEqual(["catch-up"]);
  });

  it("plans anew when the clock is set back", () => {
    scheduler.replace([job("a", { BACKUP_CRON_EXPRESSION: "0 13 * * *" })]);
    vi.setSystemTime(NOON - 24 * HOUR);
    vi.advanceTimersByTime(21 * SECOND);
    expect(scheduler.nextTimes().get("a")).toBe(NOON - 23 * HOUR);
  });

  it("spreads jobs over at most five minutes, the same at every start", () => {
    const spreads = Array.from({ length: 200 }, (_, at) => stableSpread("host", `job-${at}`));
    expect(Math.min(...spreads)).toBeLessThan(30 * SECOND);
    expect(Math.max(...spreads)).toBeGreaterThan(4 * MINUTE);
    expect(Math.max(...spreads)).toBeLessThan(5 * MINUTE);
    expect(stableSpread("host", "job-7")).toBe(spreads[7]);
  });
});
