import { cleanText } from "./text.ts";

/** Thrown by the readers below and caught where the whole object is refused; never leaves this folder. */
export class Malformed extends Error {
  constructor(what: string) {
    super(`malformed ${what}`);
    this.name = "Malformed";
  }
}

export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Runs `read` over an object; undefined where it is none or a reader refuses a field. */
export function readObject<T>(json: unknown, read: (fields: Fields) => T): T | undefined {
  if (!isFields(json)) return undefined;
  try {
    return read(json);
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

export function nested<T>(fields: Fields, key: string, read: (fields: Fields) => T): T {
  const value = own(fields, key);
  if (!isFields(value)) throw new Malformed(key);
  return read(value);
}

export function text(fields: Fields, key: string, maxChars: number): string {
  const value = own(fields, key);
  if (typeof value !== "string") throw new Malformed(key);
  return cleanText(value, maxChars);
}

export function optionalText(fields: Fields, key: string, maxChars: number): string | undefined {
  return isAbsent(fields, key) ? undefined : text(fields, key, maxChars);
}

/** A text that is refused, not cleaned, where it does not fit: ids, names, checksums. */
export function exact(fields: Fields, key: string, fits: (value: string) => boolean): string {
  const value = own(fields, key);
  if (typeof value !== "string" || !fits(value)) throw new Malformed(key);
  return value;
}

/** A finite number of 0 or more, below 2^53. */
export function amount(fields: Fields, key: string): number {
  const value = own(fields, key);
  if (typeof value !== "number" || !(value >= 0) || value > Number.MAX_SAFE_INTEGER) throw new Malformed(key);
  return value;
}

export function optionalAmount(fields: Fields, key: string): number | undefined {
  return isAbsent(fields, key) ? undefined : amount(fields, key);
}

/** One of the keys of `allowed`, a table that the compiler keeps complete. */
export function choice<T extends string>(fields: Fields, key: string, allowed: Readonly<Record<T, true>>): T {
  const value = own(fields, key);
  for (const candidate in allowed) if (candidate === value) return candidate;
  throw new Malformed(key);
}

const ISO_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

/** ISO 8601 in UTC. */
export function instant(fields: Fields, key: string): string {
  return exact(fields, key, (value) => ISO_UTC.test(value) && !Number.isNaN(Date.parse(value)));
}

export function optionalInstant(fields: Fields, key: string): string | undefined {
  return isAbsent(fields, key) ? undefined : instant(fields, key);
}

/** At most `maxItems` of a list; what follows is dropped, so that a hostile list can't flood. */
export function list<T>(fields: Fields, key: string, maxItems: number, read: (item: unknown) => T): T[] {
  const value = own(fields, key);
  if (!Array.isArray(value)) throw new Malformed(key);
  return value.slice(0, maxItems).map((item: unknown) => read(item));
}

export function objectIn<T>(read: (fields: Fields) => T): (item: unknown) => T {
  return (item) => {
    if (!isFields(item)) throw new Malformed("list");
    return read(item);
  };
}

function own(fields: Fields, key: string): unknown {
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}

/** JSON's null counts as absent. */
function isAbsent(fields: Fields, key: string): boolean {
  const value = own(fields, key);
  return value === undefined || value === null;
}
