import { parseInt64 } from "./integer.ts";
import { clipped, goFields } from "./text.ts";

/** The values that a field allows. */
export interface CronField {
  has(value: number): boolean;
  /** It was written with `*` or `?`, which changes how the two day fields are combined. */
  readonly isStar: boolean;
  /** Such as `,`: nothing is allowed, so it never fires. */
  readonly isEmpty: boolean;
}

export interface CronFields {
  readonly second: CronField;
  readonly minute: CronField;
  readonly hour: CronField;
  readonly dayOfMonth: CronField;
  readonly month: CronField;
  readonly dayOfWeek: CronField;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
  /** A number above `max` that may be written and means `min`. */
  readonly alias?: number;
}

const SECONDS: Bounds = { min: 0, max: 59 };
const MINUTES: Bounds = { min: 0, max: 59 };
const HOURS: Bounds = { min: 0, max: 23 };
const DAYS_OF_MONTH: Bounds = { min: 1, max: 31 };
const MONTHS: Bounds = {
  min: 1,
  max: 12,
  names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const DAYS_OF_WEEK: Bounds = { min: 0, max: 6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"], alias: 7 };

/**
 * Reads five or six fields by robfig/cron's rules, its oddities included: `5/15` means `5-59/15`, `*-3` means `*`,
 * `*` with a step above 1 loses the meaning of a star, empty list entries are skipped.
 * @throws Error that names the part that is wrong
 */
export function parseCronFields(text: string): CronFields {
  const parts = goFields(text);
  if (parts.length < 5 || parts.length > 6) throw new Error(`expected 5 to 6 fields, found ${parts.length}`);
  const [second = "0", minute = "", hour = "", dayOfMonth = "", month = "", dayOfWeek = ""] =
    parts.length === 5 ? ["0", ...parts] : parts;
  return {
    second: parseField(second, SECONDS),
    minute: parseField(minute, MINUTES),
    hour: parseField(hour, HOURS),
    dayOfMonth: parseField(dayOfMonth, DAYS_OF_MONTH),
    month: parseField(month, MONTHS),
    dayOfWeek: parseField(dayOfWeek, DAYS_OF_WEEK),
  };
}

function parseField(text: string, bounds: Bounds): CronField {
  const allowed = new Uint8Array(bounds.max + 1);
  let isStar = false;
  for (const entry of text.split(",")) {
    if (entry === "") continue;
    const { start, end, step, star } = parseEntry(entry, bounds);
    isStar ||= star;
    for (let value = start; value <= end; value += step) allowed[value === bounds.alias ? bounds.min : value] = 1;
  }
  return { has: (value) => allowed[value] === 1, isStar, isEmpty: !allowed.includes(1) };
}

function parseEntry(written: string, bounds: Bounds): { start: number; end: number; step: number; star: boolean } {
  const entry = clipped(written);
  const [range = "", stepText, ...moreSlashes] = written.split("/");
  const [low = "", high, ...moreHyphens] = range.split("-");
  const isAny = low === "*" || low === "?";
  const start = isAny ? bounds.min : parseValue(low, bounds);
  if (!isAny && moreHyphens.length > 0) throw new Error(`too many hyphens: ${entry}`);
  let end = isAny ? bounds.max : high === undefined ? start : parseValue(high, bounds);
  if (moreSlashes.length > 0) throw new Error(`too many slashes: ${entry}`);
  const step = stepText === undefined ? 1 : parseNumber(stepText);
  if (stepText !== undefined && high === undefined) end = bounds.max;
  const last = bounds.alias ?? bounds.max;
  if (start < bounds.min) throw new Error(`beginning of range (${start}) below minimum (${bounds.min}): ${entry}`);
  if (end > last) throw new Error(`end of range (${end}) above maximum (${bounds.max}): ${entry}`);
  if (start > end) throw new Error(`beginning of range (${start}) beyond end of range (${end}): ${entry}`);
  if (step === 0) throw new Error(`step of range should be a positive number: ${entry}`);
  return { start, end, step, star: isAny && step === 1 };
}

function parseValue(text: string, bounds: Bounds): number {
  const named = bounds.names?.indexOf(text.toLowerCase()) ?? -1;
  return named === -1 ? parseNumber(text) : bounds.min + named;
}

function parseNumber(text: string): number {
  const value = parseInt64(text);
  if (value === undefined) throw new Error(`failed to parse int from ${clipped(text)}`);
  if (value < 0) throw new Error(`negative number (${value}) not allowed: ${clipped(text)}`);
  return value;
}
