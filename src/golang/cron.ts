import { parseCronFields } from "./cron-fields.ts";
import type { CronFields } from "./cron-fields.ts";
import { nextFire } from "./cron-next.ts";
import { parseDuration } from "./duration.ts";
import { clipped, trimGoSpace } from "./text.ts";
import { loadZone } from "./zone.ts";

/** When to fire. Times are milliseconds since 1970. */
export interface CronSchedule {
  /** The first fire after `afterMs`, always a whole second; undefined: never, or not within five years. */
  next(afterMs: number): number | undefined;
}

const DESCRIPTORS: ReadonlyMap<string, string> = new Map([
  ["@yearly", "0 0 0 1 1 *"],
  ["@annually", "0 0 0 1 1 *"],
  ["@monthly", "0 0 0 1 * *"],
  ["@weekly", "0 0 0 * * 0"],
  ["@daily", "0 0 0 * * *"],
  ["@midnight", "0 0 0 * * *"],
  ["@hourly", "0 0 * * * *"],
]);

const EVERY = "@every ";
const NANOSECONDS_PER_SECOND = 1_000_000_000n;

/** The last instant that a `Date` can hold. */
const LATEST_MS = 8.64e15;

/**
 * Reads a schedule as robfig/cron v3 does: five or six fields (seconds first), names, `?`, descriptors, `@every 1h30m`,
 * a `TZ=` or `CRON_TZ=` prefix. Additionally 7 is Sunday.
 * @param zone IANA name that holds where the expression names none; `""` is UTC
 * @throws Error that says what is wrong, worded as robfig/cron words it
 */
export function parseCron(expression: string, zone: string): CronSchedule {
  if (expression === "") throw new Error("empty schedule");
  const { rest, zoneName } = splitZone(expression, zone);
  const place = loadZone(zoneName);
  if (rest.startsWith(EVERY)) return every(rest);
  const fields = rest.startsWith("@") ? DESCRIPTORS.get(rest) : rest;
  if (fields === undefined) throw new Error(`unrecognized descriptor: ${clipped(rest)}`);
  const parsed: CronFields = parseCronFields(fields);
  return { next: (afterMs) => nextFire(parsed, place, checkedTime(afterMs)) };
}

function splitZone(expression: string, zone: string): { rest: string; zoneName: string } {
  if (!expression.startsWith("TZ=") && !expression.startsWith("CRON_TZ=")) return { rest: expression, zoneName: zone };
  const blank = expression.indexOf(" ");
  if (blank === -1) throw new Error("nothing follows the time zone");
  const named = expression.slice(expression.indexOf("=") + 1, blank);
  return { rest: trimGoSpace(expression.slice(blank)), zoneName: named === "Local" ? zone : named };
}

/** A constant delay, counted from the start: whole seconds, at least one. */
function every(descriptor: string): CronSchedule {
  let delay: bigint;
  try {
    delay = parseDuration(descriptor.slice(EVERY.length));
  } catch (thrown) {
    const reason = thrown instanceof Error ? clipped(thrown.message) : "";
    throw new Error(`failed to parse duration ${clipped(descriptor)}: ${reason}`, { cause: thrown });
  }
  const seconds = delay < NANOSECONDS_PER_SECOND ? 1 : Number(delay / NANOSECONDS_PER_SECOND);
  return {
    next: (afterMs) => {
      const fireMs = (Math.floor(checkedTime(afterMs) / 1000) + seconds) * 1000;
      return fireMs > LATEST_MS ? undefined : fireMs;
    },
  };
}

function checkedTime(ms: number): number {
  if (!(Math.abs(ms) <= LATEST_MS)) throw new Error(`${ms} is not a point in time`);
  return ms;
}
