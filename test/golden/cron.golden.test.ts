import { describe, expect, it } from "vitest";
import { parseCron } from "../../src/golang/cron.ts";
import { cronCases, jumpCases } from "./cron-cases.ts";
import { deviationFor } from "./deviations.ts";
import { outcome, title } from "./recorded.ts";

/** Fire times in the shape of the recording: ISO instants, `null` for the end. */
function nextFires(expression: string, zone: string, start: string, count: number): (string | null)[] {
  const schedule = parseCron(expression, zone);
  const fires: (string | null)[] = [];
  let after = Date.parse(start);
  while (fires.length < count) {
    const fire = schedule.next(after);
    fires.push(fire === undefined ? null : new Date(fire).toISOString());
    if (fire === undefined) break;
    after = fire;
  }
  return fires;
}

const errors = cronCases.filter(({ error }) => error !== undefined);
const runs = [...cronCases, ...jumpCases].flatMap(({ expression, runs: recorded = [] }) =>
  recorded.map((run) => ({ expression, name: title(expression), ...run })),
);

describe("cron: refused", () => {
  it.each(errors.map((recorded) => ({ ...recorded, name: title(recorded.expression) })))("$name", ({ expression }) => {
    const isRefused = "refused" in outcome(() => parseCron(expression, "UTC"));
    expect(isRefused).toBe(deviationFor("cron", expression) === undefined);
  });
});

const isDeviation = ({ expression }: { expression: string }): boolean => deviationFor("cron", expression) !== undefined;

function compared(run: (typeof runs)[number]): { actual: (string | null)[]; expected: (string | null)[] } {
  const expected = run.next.map((fire) => (fire === null ? null : new Date(fire).toISOString()));
  return { actual: nextFires(run.expression, run.zone, run.start, run.next.length), expected };
}

describe("cron: fires", () => {
  it.each(runs.filter((run) => !isDeviation(run)))("$name in $zone after $start", (run) => {
    const { actual, expected } = compared(run);
    expect(actual).toEqual(expected);
  });

  it.each(runs.filter(isDeviation))("$name in $zone after $start differs", (run) => {
    const { actual, expected } = compared(run);
    expect(actual).not.toEqual(expected);
  });
});
