import type { GoUrl } from "./go-url.ts";
import { reject, UrlProblem } from "./problem.ts";

/** One property that a service reads from its URL's query. */
export interface Prop<T> {
  readonly aliases: readonly string[];
  readonly initial: T;
  /** @throws UrlProblem that says what is allowed */
  read(text: string): T;
}

export type Props = Readonly<Record<string, Prop<unknown>>>;
export type PropValues<P extends Props> = { readonly [K in keyof P]: P[K] extends Prop<infer T> ? T : never };

export function text(initial = "", ...aliases: string[]): Prop<string> {
  return { initial, aliases, read: (given) => given };
}

export function flag(initial: boolean, ...aliases: string[]): Prop<boolean> {
  return {
    initial,
    aliases,
    read(given) {
      if (/^(?:true|1|yes|y)$/i.test(given)) return true;
      if (/^(?:false|0|no|n)$/i.test(given)) return false;
      return reject("must be one of 1, true, yes or 0, false, no");
    },
  };
}

/** Decimal, or hexadecimal with `0x` or `#`. */
export function integer(initial: number, min: number, max: number): Prop<number> {
  return { initial, aliases: [], read: (given) => inRange(readInteger(given), min, max) };
}

/** As an integer; six hexadecimal digits that are no decimal number are a colour as well. */
export function colour(initial: number): Prop<number> {
  return {
    initial,
    aliases: [],
    read: (given) => inRange(readInteger(/^(?![0-9]+$)[0-9a-f]{6}$/i.test(given) ? `#${given}` : given), 0, 0xff_ff_ff),
  };
}

function readInteger(given: string): number {
  const [, sign = "", hex, decimal = ""] =
    /^([+-]?)(?:(?:#|0[xX])([0-9a-fA-F]{1,13})|([0-9]{1,15}))$/.exec(given) ?? [];
  if (hex === undefined && decimal === "") reject("must be a whole number (or 0x and hexadecimal digits)");
  const value = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  return sign === "-" ? 0 - value : value;
}

function inRange(value: number, min: number, max: number): number {
  return value >= min && value <= max ? value : reject(`must be from ${min} to ${max}`);
}

/** One of these names in any case; `spellings` are further ones, exact. */
export function choice<Name extends string>(
  names: readonly Name[],
  initial: Name,
  spellings: Readonly<Record<string, Name>> = {},
): Prop<Name> {
  return {
    initial,
    aliases: [],
    read(given) {
      if (Object.hasOwn(spellings, given)) return spellings[given] ?? initial;
      return (
        names.find((name) => name.toLowerCase() === given.toLowerCase()) ?? reject(`must be one of ${names.join(", ")}`)
      );
    },
  };
}

/** Blanks around the elements go, empty ones too. */
export function list(separator = ",", ...aliases: string[]): Prop<readonly string[]> {
  return { initial: [], aliases, read: (given) => splitList(given, separator) };
}

export function splitList(given: string, separator = ","): readonly string[] {
  return given
    .split(separator)
    .map((element) => element.trim())
    .filter((element) => element !== "");
}

/** `k:v,k2:v2`. */
export function pairs(): Prop<Readonly<Record<string, string>>> {
  return {
    initial: {},
    aliases: [],
    read: (given) =>
      Object.fromEntries(
        splitList(given).map((pair) => {
          const parts = pair.split(":");
          return parts.length === 2 ? [parts[0], parts[1]] : reject("must be pairs such as key:value,key2:value2");
        }),
      ) as Record<string, string>,
  };
}

/** A value with its own rule. */
export function parsed<T>(initial: T, read: (given: string) => T, ...aliases: string[]): Prop<T> {
  return { initial, aliases, read };
}

export interface ReadOptions {
  /** Keys that are no property are passed over, as this service always did. */
  readonly ignoresUnknown?: boolean;
}

/**
 * Reads a query. Keys count in any case; of a repeated key or of several names of one property the first counts.
 * @throws UrlProblem that names the property, and for an unknown one lists those that there are
 */
export function readProps<P extends Props>(url: GoUrl, props: P, options: ReadOptions = {}): PropValues<P> {
  const names = new Map<string, string>();
  for (const [name, { aliases }] of Object.entries(props)) {
    for (const spelling of [name, ...aliases]) names.set(spelling, name);
  }
  const values = new Map<string, unknown>();
  for (const [key, given] of url.query) {
    const name = names.get(key.toLowerCase());
    if (name === undefined) {
      if (options.ignoresUnknown === true) continue;
      reject(`${shownKey(key)} is no property of it; there ${describeNames([...names.keys()])}`);
    }
    if (!values.has(name)) values.set(name, readOne(key, props[name], given));
  }
  const all = Object.entries(props).map(([name, prop]) => [name, values.has(name) ? values.get(name) : prop.initial]);
  return Object.fromEntries(all) as PropValues<P>;
}

function readOne(key: string, prop: Prop<unknown> | undefined, given: string): unknown {
  try {
    return prop?.read(given);
  } catch (error) {
    if (error instanceof UrlProblem) reject(`${key.toLowerCase()} ${error.message}`);
    throw error;
  }
}

/** A pasted secret can stand where a key belongs; short words are shown. */
function shownKey(key: string): string {
  return /^[A-Za-z][A-Za-z_]{0,23}$/.test(key) ? key : "a key in the query";
}

function describeNames(names: readonly string[]): string {
  return names.length === 0 ? "are none" : `are ${names.toSorted().join(", ")}`;
}
