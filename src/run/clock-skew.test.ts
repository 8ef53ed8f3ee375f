import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { utimesSync } from "node:fs";
import { join } from "node:path";
import { RunBox } from "../../test/delivery/run-box.ts";
import type { Destination, StoredObject } from "../contracts/destination.ts";
import type { RunReport } from "../contracts/run.ts";
import { pruneDestination } from "../delivery/prune.ts";
import { writeRecord } from "../delivery/records.ts";
import { bufferSource } from "../destinations/buffer-source.ts";
import type { RunContext } from "./context.ts";
import { clockSkewByArchive, clockSkewByRecords, confirmedSkew } from "./clock-skew.ts";
import { retentionDecider } from "./retention-policy.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe("the clock of a store", () => {
  const at = (storedAt: number): StoredObject[] => [{ name: "new", sizeBytes: 1, storedAt }];
  const current = { name: "new", startedAtMs: 1_000_000 };

  it("is right where the new archive's time lies within the run", () => {
    expect(clockSkewByArchive(at(1_000_000), current, 2_000_000)).toBe(0);
    expect(clockSkewByArchive(at(2_000_000), current, 2_000_000)).toBe(0);
    expect(clockSkewByArchive([], current, 2_000_000)).toBe(0);
  });

  it("is ahead or behind by what lies outside", () => {
    expect(clockSkewByArchive(at(2_500_000), current, 2_000_000)).toBe(500_000);
    expect(clockSkewByArchive(at(1_000), current, 2_000_000)).toBe(-999_000);
  });
});

describe("retention at a store", () => {
  let box: RunBox;
  beforeEach(() => {
    box = new RunBox();
  });
  afterEach(() => box.dispose());

  /** A store whose clock is off: all times that it tells are. */
  const off = (inner: Destination, byMs: number): Destination => ({
    ...inner,
    async *list(area, signal) {
      for await (const object of inner.list(area, signal)) yield { ...object, storedAt: object.storedAt + byMs };
    },
  });

  it.each([
    ["right", 0],
    ["two days behind", -2 * DAY_MS],
    ["in 1970", -50 * 365 * DAY_MS],
    ["a week ahead", 7 * DAY_MS],
  ])("whose clock is %s removes what is older than the days, and nothing else", async (_what, byMs) => {
    const signal = new AbortController().signal;
    const settings = { BACKUP_FILENAME: "site-%Y%m%d.{{ .Extension }}", BACKUP_RETENTION_DAYS: "3" };
    const context = await box.context(settings, signal);
    const { job, host, clock } = context;
    const startedAtMs = Date.now();
    const inner = box.remote("store");
    await leaveRecord(context, inner, 5 * DAY_MS, 5 * DAY_MS, signal);
    const owner = { host, job: job.name, runId: "20261122T213000Z-a1b2c3" };
    for (const [name, ageMs] of [
      ["site-20261125.tar.gz", 0],
      ["site-20261123.tar.gz", 2 * DAY_MS],
      ["site-20261120.tar.gz", 5 * DAY_MS],
    ] as const) {
      await inner.put(name, bufferSource(Buffer.from("new")), { area: "archive", owner, signal });
      const then = (Date.now() - ageMs) / 1000;
      if (ageMs > 0) utimesSync(join(box.root, "store", name), then, then);
    }
    const store = off(inner, byMs);
    const current = { name: "site-20261125.tar.gz", sizeBytes: 3, status: "running" as const, startedAtMs };
    const decide = await retentionDecider({ job, destination: store, host, clock, signal, current });
    const { removed } = await pruneDestination(store, decide, signal);
    expect(removed).toEqual(["site-20261120.tar.gz"]);
  });

  /** Of a run that ended so long ago, which the store says it got so long ago. */
  const leaveRecord = async (
    context: RunContext,
    store: Destination,
    ageMs: number,
    storedAgeMs: number,
    signal: AbortSignal,
  ): Promise<RunReport> => {
    const at = new Date(Date.now() - ageMs).toISOString();
    const id = `${at.replaceAll(/[-:]|\.\d+/g, "")}-a1b2c3`;
    const report = { ...box.recorder(context).report("end"), id, startedAt: at, endedAt: at };
    await writeRecord(store, report, signal);
    const stored = (Date.now() - storedAgeMs) / 1000;
    utimesSync(join(box.root, "store", ".lifeboat", context.job.name, `${id}.json`), stored, stored);
    return report;
  };

  it.each([
    ["ahead now and right before is right for the archives of before", 9, [0, 0], 0],
    ["behind now and right before is right for the archives of before", -9, [0, 0], 0],
    ["ahead all the time is ahead", 9, [9, 9], 9],
    ["behind all the time is behind", -9, [-9, -9], -9],
    ["behind for some time is behind", -9, [-9, 0], -9],
    ["ahead for some time may have been right", 9, [9, 0], 0],
    ["ahead in a first run may be anything", 9, [], 0],
    ["behind in a first run is behind", -9, [], -9],
  ])("whose clock is %s", async (_what, nowDays, [newestDays, oldestDays], days) => {
    const signal = new AbortController().signal;
    const context = await box.context({}, signal);
    const store = box.remote("store");
    const leave = (age: number, skew: number): Promise<RunReport> =>
      leaveRecord(context, store, age * DAY_MS, (age - skew) * DAY_MS, signal);
    const records = newestDays === undefined ? [] : [await leave(1, newestDays), await leave(8, oldestDays ?? 0)];
    const seenMs = await confirmedSkew(nowDays * DAY_MS, store, records, Date.now(), signal);
    expect(seenMs / DAY_MS).toBe(days);
  });

  it("is asked about its clock by the newest record where nothing was stored just now", async () => {
    const signal = new AbortController().signal;
    const context = await box.context({}, signal);
    const endedAt = new Date().toISOString();
    const report: RunReport = { ...box.recorder(context).report("end"), endedAt };
    const inner = box.remote("store");
    await writeRecord(inner, report, signal);
    // File systems take their times from a clock that may be some milliseconds behind.
    expect(Math.abs(await clockSkewByRecords(inner, [report], Date.now(), signal))).toBeLessThan(1_000);
    expect(await clockSkewByRecords(off(inner, -DAY_MS), [report], Date.now(), signal)).toBeLessThan(-DAY_MS + HOUR_MS);
    expect(await clockSkewByRecords(off(inner, DAY_MS), [report], Date.now(), signal)).toBeGreaterThan(
      DAY_MS - HOUR_MS,
    );
    expect(await clockSkewByRecords(inner, [], Date.now(), signal)).toBe(0);
  });

  it.each([
    ["copied to it at one time are no proof", () => 20 * DAY_MS, 0],
    ["written by a clock that is ahead are", (ageMs: number) => ageMs - 3 * DAY_MS, 3 * DAY_MS],
  ])("that is a week silent: records %s", async (_what, storedAgeMs, skewMs) => {
    const signal = new AbortController().signal;
    const context = await box.context({}, signal);
    const inner = box.remote("store");
    const reports: RunReport[] = [];
    for (const days of [27, 28, 30])
      reports.push(await leaveRecord(context, inner, days * DAY_MS, storedAgeMs(days * DAY_MS), signal));
    const seenMs = await clockSkewByRecords(inner, reports, Date.now(), signal);
    expect(Math.abs(seenMs - skewMs)).toBeLessThan(HOUR_MS);
  });
});
