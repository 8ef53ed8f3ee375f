/** Go's `time.ParseDuration` and `Duration.String`, to the nanosecond. */

const UNITS: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  ["\u00b5s", 1_000n], // micro sign
  ["\u03bcs", 1_000n], // Greek letter mu
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);

/** One more than the largest int64: what a negative duration may reach, and Go's bound for every step on the way. */
const LIMIT = 2n ** 63n;

/** 2^63 has 19 digits; more significant digits than that cannot fit, so they need no arithmetic on long numbers. */
const MOST_DIGITS = 19;

/**
 * Reads a Go duration such as `1h30m`, `-1.5h` or `300ms`.
 * @returns nanoseconds, within int64
 * @throws Error worded as Go words it (`time: unknown unit "w" in duration "1w"`)
 */
export function parseDuration(text: string): bigint {
  const negative = text.startsWith("-");
  let at = negative || text.startsWith("+") ? 1 : 0;
  if (text.slice(at) === "0") return 0n;
  if (at === text.length) throw invalid(text);
  let total = 0n;
  while (at < text.length) {
    const part = /[0-9]*/y;
    part.lastIndex = at;
    const whole = part.exec(text)?.[0] ?? "";
    at += whole.length;
    let fraction = "";
    if (text[at] === ".") {
      part.lastIndex = at + 1;
      fraction = part.exec(text)?.[0] ?? "";
      at += 1 + fraction.length;
    }
    if (whole === "" && fraction === "") throw invalid(text);
    const wholeValue = leadingInteger(whole);
    if (wholeValue === undefined) throw invalid(text);
    const name = unitName(text, at);
    if (name === "") throw new Error(`time: missing unit in duration ${quote(text)}`);
    at += name.length;
    const unit = UNITS.get(name);
    if (unit === undefined) throw new Error(`time: unknown unit ${quote(name)} in duration ${quote(text)}`);
    if (wholeValue > LIMIT / unit) throw invalid(text);
    const value = wholeValue * unit + fractionOf(fraction, unit);
    if (value > LIMIT) throw invalid(text);
    // Go adds unsigned 64-bit numbers before it compares; twice 2^63 is nothing there, so it is here.
    total = BigInt.asUintN(64, total + value);
    if (total > LIMIT) throw invalid(text);
  }
  if (negative) return -total;
  if (total === LIMIT) throw invalid(text);
  return total;
}

/** `5400000000000n` -> `1h30m0s`, as Go's `Duration.String`; nanoseconds in. */
export function formatDuration(ns: bigint): string {
  const sign = ns < 0n ? "-" : "";
  const value = ns < 0n ? -ns : ns;
  if (value === 0n) return "0s";
  if (value < 1_000n) return `${sign}${value}ns`;
  if (value < 1_000_000n) return `${sign}${decimal(value, 3)}\u00b5s`;
  if (value < 1_000_000_000n) return `${sign}${decimal(value, 6)}ms`;
  const minutes = value / 60_000_000_000n;
  const seconds = `${decimal(value % 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return sign + seconds;
  const hours = minutes / 60n;
  return hours === 0n ? `${sign}${minutes}m${seconds}` : `${sign}${hours}h${minutes % 60n}m${seconds}`;
}

function decimal(value: bigint, places: number): string {
  const scale = 10n ** BigInt(places);
  const fraction = (value % scale).toString().padStart(places, "0").replace(/0+$/, "");
  return fraction === "" ? `${value / scale}` : `${value / scale}.${fraction}`;
}

function leadingInteger(digits: string): bigint | undefined {
  const significant = digits.replace(/^0+/, "");
  if (significant.length > MOST_DIGITS) return undefined;
  const value = BigInt(significant === "" ? "0" : significant);
  return value > LIMIT ? undefined : value;
}

/** Go keeps the fraction's digits as an integer while they fit into 63 bits, ignores the rest, and multiplies in float64. */
function fractionOf(digits: string, unit: bigint): bigint {
  let value = 0n;
  let scale = 1;
  for (const digit of digits) {
    if (value > (LIMIT - 1n) / 10n) break;
    const next = value * 10n + BigInt(digit);
    if (next > LIMIT) break;
    value = next;
    scale *= 10;
  }
  return value === 0n ? 0n : BigInt(Math.trunc(Number(value) * (Number(unit) / scale)));
}

function unitName(text: string, from: number): string {
  let end = from;
  while (end < text.length && !/[0-9.]/.test(text.charAt(end))) end += 1;
  return text.slice(from, end);
}

function invalid(text: string): Error {
  return new Error(`time: invalid duration ${quote(text)}`);
}

/** Go's own quoting in package time: bytes outside printable ASCII as `\xNN`. */
function quote(text: string): string {
  let out = '"';
  for (const byte of Buffer.from(text)) {
    const character = String.fromCharCode(byte);
    if (byte < 0x20 || byte >= 0x80) out += `\\x${byte.toString(16).padStart(2, "0")}`;
    else out += character === '"' || character === "\\" ? `\\${character}` : character;
  }
  return `${out}"`;
}
