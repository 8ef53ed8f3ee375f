import { describe, expect, it } from "vitest";
import { parseCron } from "../../src/golang/cron.ts";
import { cronCases } from "./cron-cases.ts";
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
const runs = cronCases.flatMap(({ expression, runs: recorded = [] }) => recorded.map((run) => ({ expression, ...run })));

describe("cron: refused", () => {
  it.each(errors.map((recorded) => ({ ...recorded, name: title(recorded.expression) })))("$name", ({ expression }) => {
    const isRefused = "refused" in outcome(() => parseCron(expression, "UTC"));
    expect(isRefused).toBe(deviationFor("cron", expression) === undefined);
  });
});

describe("cron: fires", () => {
  it.each(runs.map((run) => ({ ...run, name: title(run.expression) })))("$name in $zone after $start", (run) => {
    const expected = run.next.map((fire) => (fire === null ? null : new Date(fire).toISOString()));
    const actual = nextFires(run.expression, run.zone, run.start, run.next.length);
    const wanted = deviationFor("cron", run.expression) === undefined ? expect(actual) : expect(actual).not;
    wanted.toEqual(expected);
  });
});
