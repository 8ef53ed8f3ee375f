import { describe, expect, it } from "vitest";
import { parseCron } from "./cron.ts";

const HOUR_MS = 3_600_000;

function fires(expression: string, zone: string, start: string, count: number): string[] {
  const schedule = parseCron(expression, zone);
  const found: string[] = [];
  for (let after = Date.parse(start); found.length < count;) {
    const fire = schedule.next(after);
    if (fire === undefined) break;
    found.push(new Date(fire).toISOString());
    after = fire;
  }
  return found;
}

/** Recorded from robfig/cron v3.0.1 where the clock jumps. */
const JUMPS: readonly (readonly [expression: string, zone: string, start: string, expected: readonly string[]])[] = [
  // 02:30 does not exist on 29 March 2026 in Berlin: that day has no fire.
  ["30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", ["2026-03-30T00:30:00.000Z", "2026-03-31T00:30:00.000Z"]],
  // 02:30 exists twice on 25 October 2026.
  ["30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", ["2026-10-25T00:30:00.000Z", "2026-10-25T01:30:00.000Z"]],
  // Midnight of 4 November 2018 does not exist in São Paulo.
  ["0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00Z", ["2018-11-05T02:00:00.000Z", "2018-11-06T02:00:00.000Z"]],
];

describe("parseCron", () => {
  it.each(JUMPS)("%s in %s after %s", (expression, zone, start, expected) => {
    expect(fires(expression, zone, start, expected.length)).toEqual(expected);
  });

  it("goes on where a whole day does not exist", () => {
    expect(fires("0 0 31 * *", "Pacific/Apia", "2011-12-29T12:00:00Z", 1)).toEqual(["2011-12-30T10:00:00.000Z"]);
  });

  it("takes 7 as Sunday, alone and at the end of a range", () => {
    const sunday = fires("0 0 * * 0", "UTC", "2026-01-01T00:00:00Z", 3);
    expect(fires("0 0 * * 7", "UTC", "2026-01-01T00:00:00Z", 3)).toEqual(sunday);
    expect(fires("0 0 * * 6-7", "UTC", "2026-01-01T00:00:00Z", 9)).toEqual(
      fires("0 0 * * 0,6", "UTC", "2026-01-01T00:00:00Z", 9),
    );
    expect(() => parseCron("0 0 * * 8", "UTC")).toThrow("above maximum");
  });

  it("counts @every from the start, in whole seconds of at least one", () => {
    expect(parseCron("@every 1h", "UTC").next(1500)).toBe(1000 + HOUR_MS);
    expect(parseCron("@every 1500ms", "UTC").next(0)).toBe(1000);
    expect(parseCron("@every -5m", "UTC").next(0)).toBe(1000);
  });

  it("prefers the zone that the expression names", () => {
    expect(fires("CRON_TZ=Asia/Tokyo 0 3 * * *", "America/New_York", "2026-05-05T00:00:00Z", 1)).toEqual([
      "2026-05-05T18:00:00.000Z",
    ]);
    expect(fires("TZ=Local 0 3 * * *", "Asia/Tokyo", "2026-05-05T00:00:00Z", 1)).toEqual(["2026-05-05T18:00:00.000Z"]);
  });

  it.each(["0 0 5 31 2 ?", "0 0 30 2 *", ", * * * * *", "* , * * * *"])("never fires: %s", (expression) => {
    expect(parseCron(expression, "UTC").next(Date.parse("2026-01-01T00:00:00Z"))).toBeUndefined();
  });

  it.each([
    "",
    " ",
    "@reboot",
    "@Daily",
    "@daily ",
    "TZ=UTC",
    "TZ=Nowhere/X 0 0 * * *",
    "TZ=../x 0 0 * * *",
    "0 0 * * fri-mon",
    "* * * *",
  ])("refuses %j with a plain error", (expression) => {
    expect(() => parseCron(expression, "UTC")).toThrow(expect.objectContaining({ name: "Error" }));
  });

  it("does not repeat a long expression in a message", () => {
    expect(() => parseCron(`@${"x".repeat(100_000)}`, "UTC")).toThrow(/^.{1,300}$/);
  });

  it("refuses an unknown zone and what is no time", () => {
    expect(() => parseCron("* * * * *", "Europe/Atlantis")).toThrow("unknown time zone");
    expect(() => parseCron("* * * * *", "UTC").next(Number.NaN)).toThrow("not a point in time");
    expect(parseCron("* * * * *", "UTC").next(8.64e15)).toBeUndefined();
  });
});
