import { expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import { nextTimes } from "./status.ts";

const HOUR_MS = 3_600_000;
const NOW = Date.parse("2026-11-22T12:20:30Z");

async function timesOf(expression: string, plannedMs: number | undefined): Promise<string[]> {
  const environment = { BACKUP_CRON_EXPRESSION: expression, TZ: "UTC" };
  const { jobs } = await loadConfig({ environment, ignoreFolder: true });
  const [job] = jobs;
  return job === undefined ? [] : nextTimes(job, NOW, plannedMs).map((ms) => new Date(ms).toISOString().slice(11, 19));
}

it("counts @every from what the daemon planned, long ago or not yet reached", async () => {
  const expected = ["13:00:05", "14:00:05", "15:00:05"];
  for (const hours of [-1, 0, 1, 2400]) {
    expect(await timesOf("@every 1h", Date.parse("2026-11-22T12:00:05Z") - hours * HOUR_MS)).toEqual(expected);
  }
});

it("reads all other schedules from the clock alone", async () => {
  expect(await timesOf("0 * * * *", Date.parse("2026-11-22T12:00:05Z"))).toEqual(["13:00:00", "14:00:00", "15:00:00"]);
  expect(await timesOf("@every 1h", undefined)).toEqual(["13:20:30", "14:20:30", "15:20:30"]);
});
