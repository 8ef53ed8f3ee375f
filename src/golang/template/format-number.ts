import { type ByteString, encodeRune, isPrint } from "./byte-string.ts";
import { formatFloat } from "./decimal.ts";
import { type FormatState, pad } from "./format-state.ts";
import { quoteRune } from "./quote.ts";

/** An integer under one of Go's verbs; undefined for a verb that integers don't have. */
export function formatInteger(
  value: bigint,
  isSigned: boolean,
  verb: string,
  state: FormatState,
): ByteString | undefined {
  switch (verb) {
    case "v":
      return state.sharpV && !isSigned ? hexWithPrefix(value, state) : inBase(value, 10, verb, state);
    case "d":
      return inBase(value, 10, verb, state);
    case "b":
      return inBase(value, 2, verb, state);
    case "o":
    case "O":
      return inBase(value, 8, verb, state);
    case "x":
    case "X":
      return inBase(value, 16, verb, state);
    case "c":
      return pad(encodeRune(runeOf(value)), state);
    case "q":
      return pad(quoteRune(runeOf(value), { asciiOnly: state.plus }), state);
    case "U":
      return unicode(value, state);
    default:
      return undefined;
  }
}

export function hexWithPrefix(value: bigint, state: FormatState): ByteString {
  return inBase(value, 16, "v", { ...state, sharp: true });
}

function runeOf(value: bigint): number {
  return value >= 0n && value <= 0x10ffffn ? Number(value) : 0xfffd;
}

function inBase(value: bigint, base: 2 | 8 | 10 | 16, verb: string, state: FormatState): ByteString {
  const isNegative = value < 0n;
  const { width, precision } = state;
  if (precision === 0 && value === 0n) return pad("", { ...state, zero: false });
  const hasSign = isNegative || state.plus || state.space;
  const leastDigits = precision ?? (state.zero && !state.minus && width !== undefined ? width - (hasSign ? 1 : 0) : 0);
  let text = (isNegative ? -value : value).toString(base).padStart(leastDigits, "0");
  if (verb === "X") text = text.toUpperCase();
  if (state.sharp) {
    if (base === 2) text = `0b${text}`;
    if (base === 8 && !text.startsWith("0")) text = `0${text}`;
    if (base === 16) text = `0${verb === "X" ? "X" : "x"}${text}`;
  }
  if (verb === "O") text = `0o${text}`;
  const sign = isNegative ? "-" : state.plus ? "+" : state.space ? " " : "";
  return pad(sign + text, { ...state, zero: false });
}

function unicode(value: bigint, state: FormatState): ByteString {
  const unsigned = BigInt.asUintN(64, value);
  const digits = unsigned
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(state.precision ?? 4, 4), "0");
  const isShown = state.sharp && unsigned <= 0x10ffffn && isPrint(Number(unsigned));
  return pad(`U+${digits}${isShown ? ` '${encodeRune(Number(unsigned))}'` : ""}`, { ...state, zero: false });
}

/** A float under one of Go's verbs; undefined for a verb that floats don't have. */
export function formatFloatVerb(value: number, verb: string, state: FormatState): ByteString | undefined {
  switch (verb) {
    case "v":
      return floatText(value, "g", -1, state);
    case "b":
    case "g":
    case "G":
    case "x":
    case "X":
      return floatText(value, verb, -1, state);
    case "e":
    case "E":
      return floatText(value, verb, 6, state);
    case "f":
    case "F":
      return floatText(value, "f", 6, state);
    default:
      return undefined;
  }
}

function floatText(value: number, verb: string, defaultPrecision: number, state: FormatState): ByteString {
  const precision = state.precision ?? defaultPrecision;
  let text = formatFloat(value, verb, precision);
  if (!/^[+-]/.test(text)) text = `+${text}`;
  if (state.space && text.startsWith("+") && !state.plus) text = ` ${text.slice(1)}`;
  if (/^.[IN]/.test(text)) {
    const shown = text.startsWith("N", 1) && !state.space && !state.plus ? text.slice(1) : text;
    return pad(shown, { ...state, zero: false });
  }
  if (state.sharp && verb !== "b") text = withPoint(text, verb, precision);
  if (!state.plus && text.startsWith("+")) return pad(text.slice(1), state);
  const missing = (state.width ?? 0) - text.length;
  // Zeros go between the sign and the digits.
  if (state.zero && !state.minus && missing > 0) return text.charAt(0) + "0".repeat(missing) + text.slice(1);
  return pad(text, state);
}

/** `#`: a decimal point always, and for `%g` and `%x` no digit taken away. */
function withPoint(text: string, verb: string, precision: number): string {
  const isHex = verb === "x" || verb === "X";
  const tailAt = text.search(isHex ? /[pP]/ : /[eE]/);
  const head = tailAt < 0 ? text : text.slice(0, tailAt);
  const digits = head.slice(1).replace(".", "").replace(/^0+/, "").length;
  const wanted = "gGx".includes(verb) ? (precision < 0 ? 6 : precision) : 0;
  const isZero = head.length === 2 && head.charAt(1) === "0";
  const missing = wanted - (isZero ? 1 : digits);
  return (
    (head.includes(".") ? head : `${head}.`) + "0".repeat(Math.max(missing, 0)) + (tailAt < 0 ? "" : text.slice(tailAt))
  );
}
