import { civilTime, clockSeconds } from "../golang/civil.ts";
import { loadZone } from "../golang/zone.ts";

export type Period = "day" | "week" | "month" | "year";

/** Where and when a job's calendar is: periods and days as its zone shows them. */
export interface Calendar {
  /** `2026-03-20`, `2026-W12` (ISO 8601, where 1 January can belong to week 53 of the year before), `2026-03`, `2026`. */
  periodOf(epochMs: number, period: Period): string;
  /** The same clock time so many days earlier. */
  daysBefore(epochMs: number, days: number): number;
}

/** Beyond this Go's and JavaScript's dates end; nothing is older. */
const MOST_DAYS = 3_000_000;
const THURSDAY = 4;

/** @throws Error for an unknown zone */
export function calendarOf(zoneName: string): Calendar {
  const zone = loadZone(zoneName);
  const read = (epochMs: number) => {
    const seconds = Math.floor(epochMs / 1000);
    return civilTime(seconds, zone.offsetAt(seconds));
  };
  return {
    periodOf(epochMs, period) {
      const { year, month, day, weekday } = read(epochMs);
      if (period === "year") return padded(year, 4);
      if (period === "month") return `${padded(year, 4)}-${padded(month, 2)}`;
      if (period === "day") return `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`;
      // A week belongs to the year of its Thursday.
      const thursday = civilTime(clockSeconds(year, month, day + THURSDAY - (weekday === 0 ? 7 : weekday), 0), 0);
      return `${padded(thursday.year, 4)}-W${padded(Math.ceil(thursday.yearDay / 7), 2)}`;
    },
    daysBefore(epochMs, days) {
      if (days > MOST_DAYS) return Number.NEGATIVE_INFINITY;
      // As Go's `AddDate`: a calendar day is 23 or 25 hours long where the clocks change. The offset is asked for twice,
      // because the first answer is for the clock's reading taken as UTC.
      const { year, month, day, hour, minute, second } = read(epochMs);
      const clock = clockSeconds(year, month, day - days, hour) + minute * 60 + second;
      const utc = clock - zone.offsetAt(clock - zone.offsetAt(clock));
      return utc * 1000 + (epochMs - Math.floor(epochMs / 1000) * 1000);
    },
  };
}

function padded(value: number, width: number): string {
  return String(value).padStart(width, "0");
}
