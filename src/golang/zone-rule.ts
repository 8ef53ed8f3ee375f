import { clockSeconds } from "./civil.ts";

/**
 * The rule at the end of a zone file that says how its daylight saving goes on for ever: `CET-1CEST,M3.5.0,M10.5.0/3`,
 * `<-02>2<-01>,M3.5.0/-1,M10.5.0/0` (POSIX `TZ` with the extensions of RFC 9636).
 */
export type ZoneRule = (epochSeconds: number) => { readonly offsetSeconds: number; readonly abbreviation: string };

/** Seconds from the start of a year to a change, by the clock that is in force before it. */
type ChangeOfYear = (year: number) => number;

const NAME = "([A-Za-z]{3,}|<[^>]+>)";
const OFFSET = "([+-]?\\d{1,3}(?::\\d{1,2}){0,2})";
const RULE = new RegExp(`^${NAME}${OFFSET}(?:${NAME}${OFFSET}?(?:,([^,]+),([^,]+))?)?$`);
const DAY_SECONDS = 86_400;

/** What the zone compiler assumes where a rule names daylight time without saying when. */
const DEFAULT_START = "M3.2.0";
const DEFAULT_END = "M11.1.0";

/** Reads such a rule; undefined when it is none. */
export function parseZoneRule(text: string): ZoneRule | undefined {
  const [, standardName, standardText, daylightName, daylightText, startText, endText] = RULE.exec(text) ?? [];
  if (standardName === undefined || standardText === undefined) return undefined;
  const standard = { abbreviation: plainName(standardName), offsetSeconds: -clockSpan(standardText) };
  if (daylightName === undefined) return () => standard;
  const daylight = {
    abbreviation: plainName(daylightName),
    offsetSeconds: daylightText === undefined ? standard.offsetSeconds + 3600 : -clockSpan(daylightText),
  };
  const start = parseChange(startText ?? DEFAULT_START);
  const end = parseChange(endText ?? DEFAULT_END);
  if (start === undefined || end === undefined) return undefined;
  return (epochSeconds) => {
    const year = new Date(epochSeconds * 1000).getUTCFullYear();
    const second = epochSeconds - clockSeconds(year, 1, 1, 0);
    const startSecond = start(year) - standard.offsetSeconds;
    const endSecond = end(year) - daylight.offsetSeconds;
    const isDaylight =
      startSecond <= endSecond
        ? second >= startSecond && second < endSecond
        : second >= startSecond || second < endSecond;
    return isDaylight ? daylight : standard;
  };
}

function plainName(name: string): string {
  return name.startsWith("<") ? name.slice(1, -1) : name;
}

/** `-1:30` -> -5400. */
function clockSpan(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.replace(/^[+-]/, "").split(":").map(Number);
  const span = hours * 3600 + minutes * 60 + seconds;
  return text.startsWith("-") ? -span : span;
}

function parseChange(text: string): ChangeOfYear | undefined {
  const [date = "", time = "2"] = text.split("/");
  if (!/^[+-]?\d{1,3}(?::\d{1,2}){0,2}$/.test(time)) return undefined;
  const timeSeconds = clockSpan(time);
  const [, month, week, weekday] = /^M(\d{1,2})\.([1-5])\.([0-6])$/.exec(date) ?? [];
  if (month !== undefined) {
    return (year) => weekdayOfMonth(year, Number(month), Number(week), Number(weekday)) + timeSeconds;
  }
  const [, julian, dayText] = /^(J?)(\d{1,3})$/.exec(date) ?? [];
  if (dayText === undefined) return undefined;
  const day = Number(dayText);
  if (julian === "") return () => day * DAY_SECONDS + timeSeconds;
  return (year) => (day - 1 + (isLeap(year) && day >= 60 ? 1 : 0)) * DAY_SECONDS + timeSeconds;
}

/** Start of the `week`-th such weekday of a month, 5 being the last one. */
function weekdayOfMonth(year: number, month: number, week: number, weekday: number): number {
  const first = clockSeconds(year, month, 1, 0);
  const firstWeekday = new Date(first * 1000).getUTCDay();
  const days = (clockSeconds(year, month + 1, 1, 0) - first) / DAY_SECONDS;
  let day = (weekday - firstWeekday + 7) % 7;
  for (let count = 1; count < week && day + 7 < days; count += 1) day += 7;
  return first + day * DAY_SECONDS - clockSeconds(year, 1, 1, 0);
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}
