import { civilTime, type CivilTime } from "../civil.ts";
import { DAYS, MONTHS } from "../strftime.ts";
import { loadZone } from "../zone.ts";

export interface Instant {
  readonly epochSeconds: number;
  readonly nanos: number;
  /** IANA name, `UTC`, or `Local`. */
  readonly zone: string;
}

interface Shown extends CivilTime {
  readonly nanos: number;
  readonly abbreviation: string;
}

/** Longest first where one is the beginning of another (Go's `nextStdChunk`). */
const CHUNK =
  /January|Jan(?![uary])|Jan|Monday|Mon|MST|2006|-07:00:00|-070000|-07:00|-0700|-07|Z07:00:00|Z070000|Z07:00|Z0700|Z07|_2006|__2|002|0[1-6]|_2|15|PM|pm|[.,]0+(?![0-9])|[.,]9+(?![0-9])|[1-5]/g;

export function shownTime(instant: Instant): Shown {
  const zone = loadZone(instant.zone);
  const { epochSeconds, nanos } = instant;
  return {
    ...civilTime(epochSeconds, zone.offsetAt(epochSeconds)),
    nanos,
    abbreviation: zone.abbreviationAt(epochSeconds),
  };
}

/** Go's `Time.Format`. */
export function formatTime(instant: Instant, layout: string): string {
  const time = shownTime(instant);
  return layout.replaceAll(CHUNK, (chunk) => shownChunk(chunk, time));
}

function shownChunk(chunk: string, time: Shown): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const hour12 = time.hour % 12 === 0 ? 12 : time.hour % 12;
  switch (chunk) {
    case "January":
      return MONTHS[time.month - 1] ?? "";
    case "Jan":
      return (MONTHS[time.month - 1] ?? "").slice(0, 3);
    case "Monday":
      return DAYS[time.weekday] ?? "";
    case "Mon":
      return (DAYS[time.weekday] ?? "").slice(0, 3);
    case "MST":
      return time.abbreviation;
    case "2006":
      return year(time.year);
    case "_2006":
      return `_${year(time.year)}`;
    case "01":
      return two(time.month);
    case "02":
      return two(time.day);
    case "03":
      return two(hour12);
    case "04":
      return two(time.minute);
    case "05":
      return two(time.second);
    case "06":
      return two(((time.year % 100) + 100) % 100);
    case "002":
      return String(time.yearDay).padStart(3, "0");
    case "__2":
      return String(time.yearDay).padStart(3, " ");
    case "_2":
      return String(time.day).padStart(2, " ");
    case "15":
      return two(time.hour);
    case "PM":
      return time.hour >= 12 ? "PM" : "AM";
    case "pm":
      return time.hour >= 12 ? "pm" : "am";
    case "1":
      return String(time.month);
    case "2":
      return String(time.day);
    case "3":
      return String(hour12);
    case "4":
      return String(time.minute);
    case "5":
      return String(time.second);
    default:
      return /^[.,]/.test(chunk) ? fraction(chunk, time.nanos) : offset(chunk, time.offsetSeconds);
  }
}

function year(value: number): string {
  return value < 0 ? `-${String(-value).padStart(4, "0")}` : String(value).padStart(4, "0");
}

function fraction(chunk: string, nanos: number): string {
  const digits = String(nanos)
    .padStart(9, "0")
    .slice(0, chunk.length - 1)
    .padEnd(chunk.length - 1, "0");
  if (chunk.charAt(1) === "0") return chunk.charAt(0) + digits;
  const significant = digits.replace(/0+$/, "");
  return significant === "" ? "" : chunk.charAt(0) + significant;
}

function offset(chunk: string, seconds: number): string {
  if (chunk.startsWith("Z") && seconds === 0) return "Z";
  const absolute = Math.abs(seconds);
  const parts = [Math.floor(absolute / 3600), Math.floor(absolute / 60) % 60, absolute % 60];
  const wanted = /:00:00$|070000$/.test(chunk) ? 3 : chunk.endsWith("07") ? 1 : 2;
  const joined = parts
    .slice(0, wanted)
    .map((part) => String(part).padStart(2, "0"))
    .join(chunk.includes(":") ? ":" : "");
  return (seconds < 0 ? "-" : "+") + joined;
}
