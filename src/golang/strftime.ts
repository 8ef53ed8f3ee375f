import { civilTime } from "./civil.ts";
import type { CivilTime } from "./civil.ts";
import { loadZone } from "./zone.ts";

/** The `strftime` of the image that Lifeboat replaces (the Go module leekchan/timeutil): few verbs, others vanish. */

/** What `%A` and `%B` give; their first three letters are `%a` and `%b`. */
export const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;
export const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;

interface Moment extends CivilTime {
  readonly microsecond: number;
  readonly zoneName: string;
}

const VERBS: ReadonlyMap<string, (t: Moment) => string> = new Map<string, (t: Moment) => string>([
  ["a", (t) => dayName(t).slice(0, 3)],
  ["A", dayName],
  ["w", (t) => `${t.weekday}`],
  ["d", (t) => padded(t.day, 2)],
  ["b", (t) => monthName(t).slice(0, 3)],
  ["B", monthName],
  ["m", (t) => padded(t.month, 2)],
  ["y", (t) => padded(t.year % 100, 2)],
  ["Y", (t) => padded(t.year, 2)],
  ["H", (t) => padded(t.hour, 2)],
  ["I", (t) => padded(t.hour % 12 === 0 ? 12 : t.hour % 12, 2)],
  ["p", (t) => (t.hour < 12 ? "AM" : "PM")],
  ["M", (t) => padded(t.minute, 2)],
  ["S", (t) => padded(t.second, 2)],
  ["f", (t) => padded(t.microsecond, 6)],
  ["z", (t) => numericOffset(t.offsetSeconds)],
  ["Z", (t) => (t.zoneName === "" ? numericOffset(t.offsetSeconds) : t.zoneName)],
  ["j", (t) => padded(t.yearDay, 3)],
  ["U", (t) => padded(Math.trunc((t.yearDay + 6 - t.weekday) / 7), 2)],
  ["W", (t) => padded(Math.trunc((t.yearDay + 6 - ((t.weekday + 6) % 7)) / 7), 2)],
  ["c", (t) => `${dayName(t).slice(0, 3)} ${monthName(t).slice(0, 3)} ${t.day} ${clock(t)} ${padded(t.year, 4)}`],
  ["x", (t) => `${padded(t.month, 2)}/${padded(t.day, 2)}/${padded(t.year % 100, 2)}`],
  ["X", clock],
  ["%", () => "%"],
]);

/**
 * Formats an instant as it reads in a zone. A verb that is not known gives nothing, nor does a `%` at the end.
 * @param epochMs milliseconds since 1970, fractions kept down to the microsecond
 * @param zone IANA name; `""` is UTC
 * @throws Error for an unknown zone
 */
export function strftime(format: string, epochMs: number, zone: string): string {
  const place = loadZone(zone);
  const seconds = Math.floor(epochMs / 1000);
  const microsecond = Math.floor((epochMs - seconds * 1000) * 1000);
  const zoneName = format.includes("%Z") ? place.abbreviationAt(seconds) : "";
  const moment: Moment = { ...civilTime(seconds, place.offsetAt(seconds)), microsecond, zoneName };
  return format.replaceAll(/%(.?)/gsu, (_, verb: string) => VERBS.get(verb)?.(moment) ?? "");
}

/** The parts of a format that vanish: `%-d at %H` gives `["%-"]`. Each is named once, in the order of its first use. */
export function droppedVerbs(format: string): string[] {
  const dropped = new Set<string>();
  for (const [text, verb = ""] of format.matchAll(/%(.?)/gsu)) {
    if (!VERBS.has(verb)) dropped.add(text);
  }
  return [...dropped];
}

function dayName(t: Moment): string {
  return DAYS[t.weekday] ?? "";
}

function monthName(t: Moment): string {
  return MONTHS[t.month - 1] ?? "";
}

function clock(t: Moment): string {
  return `${padded(t.hour, 2)}:${padded(t.minute, 2)}:${padded(t.second, 2)}`;
}

/** Seconds of an offset are cut, as Go's layout `-0700` does. */
function numericOffset(offsetSeconds: number): string {
  const minutes = Math.trunc(Math.abs(offsetSeconds) / 60);
  return `${offsetSeconds < 0 && minutes > 0 ? "-" : "+"}${padded(Math.trunc(minutes / 60), 2)}${padded(minutes % 60, 2)}`;
}

/** C's `%0<width>d`: the sign counts towards the width. */
function padded(value: number, width: number): string {
  return value < 0 ? `-${String(-value).padStart(width - 1, "0")}` : String(value).padStart(width, "0");
}
