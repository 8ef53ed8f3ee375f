import { describe, expect, it } from "vitest";
import { decideRetention, type RetentionArchive, type RetentionPolicy } from "./decide.ts";

const NOW = Date.parse("2026-03-20T12:00:00Z");
const DAY = 86_400_000;

const policy = (more: Partial<RetentionPolicy>): RetentionPolicy => ({
  retentionDays: -1,
  leewayMs: 0,
  prefix: undefined,
  keepLast: 0,
  keepDaily: 0,
  keepWeekly: 0,
  keepMonthly: 0,
  keepYearly: 0,
  keepMin: 1,
  zone: "UTC",
  job: "site",
  matchesPattern: (name) => name.startsWith("s"),
  ...more,
});

type Status = NonNullable<RetentionArchive["record"]>["status"];
const archive = (name: string, storedAt: number, status: Status = "success", recorded = 100): RetentionArchive => ({
  name,
  sizeBytes: 100,
  storedAt,
  record: { status, sizeBytes: recorded, job: "site" },
});
const current = (name: string, status: Status): RetentionArchive => ({
  ...archive(name, NOW - 5, status),
  isCurrent: true,
});

function kept(archives: readonly RetentionArchive[], more: Partial<RetentionPolicy>): string[] {
  return decideRetention(archives, policy(more), NOW)
    .filter((decision) => decision.keep)
    .map((decision) => decision.name);
}

describe("the archive of the run that prunes", () => {
  it("does not push out the last good one when it is only partial", () => {
    const archives = [archive("s1", NOW - DAY), current("s2", "partial")];
    expect(kept(archives, { keepLast: 1 })).toEqual(["s2", "s1"]);
    expect(kept(archives, { retentionDays: 0 })).toEqual(["s2", "s1"]);
  });

  it("replaces it when it is good", () => {
    expect(kept([archive("s1", NOW - DAY), current("s2", "success")], { keepLast: 1 })).toEqual(["s2"]);
  });

  it.each(["success", "partial"] as const)("stays (%s), whatever a clock that was ahead left behind", (status) => {
    const ahead = [archive("s9", NOW + 4000 * DAY), archive("s8", NOW + DAY)];
    for (const more of [{ keepLast: 1 }, { keepDaily: 1 }, { keepYearly: 1 }, { retentionDays: 0 }]) {
      expect(kept([...ahead, current("s2", status)], more), JSON.stringify(more)).toContain("s2");
    }
    expect(kept([...ahead, current("s2", "success")], { keepLast: 1 })).toEqual(["s2"]);
  });
});

it("leaves a file alone that only bears the name that a record tells, and not its size", () => {
  const archives = [archive("s1", NOW), archive("database.tar.gz", NOW - 40 * DAY, "success", 99)];
  expect(kept(archives, { retentionDays: 1 })).toEqual(["s1", "database.tar.gz"]);
  const same = [archive("s1", NOW), archive("database.tar.gz", NOW - 40 * DAY)];
  expect(kept(same, { retentionDays: 1 })).toEqual(["s1"]);
});
