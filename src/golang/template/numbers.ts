import type { NumberConstant } from "./nodes.ts";
import { unquoteRune } from "./quote.ts";

const INT_MAX = 2n ** 63n - 1n;
const INT_MIN = -(2n ** 63n);
const UINT_MAX = 2n ** 64n - 1n;

/** What a number in a template may stand for; undefined where Go refuses its syntax or it overflows. */
export function parseNumber(text: string, kind: "number" | "complex" | "char-constant"): NumberConstant | undefined {
  if (kind === "char-constant") {
    const rune = unquoteRune(text);
    return rune === undefined ? undefined : fromInteger(text, BigInt(rune));
  }
  if (kind === "complex") {
    const split = /^([+-]?[^+-]*(?:[eEpP][+-][^+-]*)?)([+-].*)i$/.exec(text);
    const re = parseFloatText(split?.[1] ?? "");
    const im = parseFloatText(split?.[2] ?? "");
    return re === undefined || im === undefined ? undefined : fromComplex(text, { re, im });
  }
  if (text.endsWith("i")) {
    const im = parseFloatText(text.slice(0, -1));
    return im === undefined ? undefined : fromComplex(text, { re: 0, im });
  }
  const integer = parseIntegerText(text);
  if (integer !== undefined && integer >= INT_MIN && integer <= UINT_MAX) return fromInteger(text, integer);
  const float = parseFloatText(text);
  if (float === undefined) return undefined;
  // An integer that is too large for an int does not silently become a float.
  if (!/[.eEpP]/.test(text) || (/^[+-]?0[xX]/.test(text) && !/[pP]/.test(text))) return undefined;
  const int = Number.isInteger(float) && Math.abs(float) < 2 ** 63 ? BigInt(float) : undefined;
  const uint =
    int !== undefined && int >= 0n
      ? int
      : Number.isInteger(float) && float >= 2 ** 63 && float < 2 ** 64
        ? BigInt(float)
        : undefined;
  return { text, int, uint, float, complex: undefined };
}

function fromInteger(text: string, value: bigint): NumberConstant {
  return {
    text,
    int: value <= INT_MAX ? value : undefined,
    uint: value >= 0n && !text.startsWith("-") ? value : value === 0n ? 0n : undefined,
    float: Number(value),
    complex: undefined,
  };
}

function fromComplex(text: string, complex: { re: number; im: number }): NumberConstant {
  const isReal = complex.im === 0;
  const int = isReal && Number.isInteger(complex.re) ? BigInt(complex.re) : undefined;
  return {
    text,
    int,
    uint: int !== undefined && int >= 0n ? int : undefined,
    float: isReal ? complex.re : undefined,
    complex,
  };
}

/** Go's integer literals (base 0): decimal, `0x`, `0o` or a leading `0`, `0b`, underscores between digits. */
export function parseIntegerText(text: string): bigint | undefined {
  const match =
    /^([+-]?)(?:0[xX]((?:_?[0-9a-fA-F])+)|0[oO]((?:_?[0-7])+)|0[bB]((?:_?[01])+)|0((?:_?[0-7])+)|(0|[1-9](?:_?[0-9])*))$/.exec(
      text,
    );
  if (match === null) return undefined;
  const [, sign, hex, octal, binary, oldOctal, decimal] = match;
  const clean = (digits: string): string => digits.replaceAll("_", "");
  const value =
    hex !== undefined
      ? BigInt(`0x${clean(hex)}`)
      : binary !== undefined
        ? BigInt(`0b${clean(binary)}`)
        : octal !== undefined || oldOctal !== undefined
          ? BigInt(`0o${clean(octal ?? oldOctal ?? "")}`)
          : BigInt(clean(decimal ?? ""));
  return sign === "-" ? -value : value;
}

/** Go's `strconv.ParseFloat`, with underscores between digits. */
export function parseFloatText(text: string): number | undefined {
  // An underscore stands between digits; behind `0x` it may come first.
  if (/(?<![0-9a-fA-FxX])_|_(?![0-9a-fA-F])/.test(text)) return undefined;
  const clean = text.replaceAll("_", "");
  const hex = /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?[pP]([+-]?[0-9]+)$/.exec(clean);
  if (hex !== null) {
    const [, sign, whole = "", fraction = "", exponent] = hex;
    if (whole + fraction === "") return undefined;
    const value = Number(BigInt(`0x${whole}${fraction}`)) * 2 ** (Number(exponent) - 4 * fraction.length);
    return Number.isFinite(value) ? (sign === "-" ? -value : value) : undefined;
  }
  if (!/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(clean)) return undefined;
  const value = Number(clean);
  return Number.isFinite(value) ? value : undefined;
}
