import { type ByteString, decodeRune, fromBytes } from "./byte-string.ts";
import { type FormatState, PLAIN } from "./format-state.ts";
import { CallError } from "./errors.ts";
import { formatValue, formatWith } from "./format-value.ts";
import type { Value } from "./types.ts";

/** Widths and precisions beyond this are refused, as Go refuses them. */
const LARGEST = 1_000_000;

/** A text that a template puts together may grow to this; beyond it would only be an attack or a slip. */
const LONGEST_TEXT = 4 * 1024 * 1024;

function notTooLong(text: ByteString): ByteString {
  if (text.length > LONGEST_TEXT) throw new CallError("the text grows too long");
  return text;
}

/** Go's `fmt.Sprint`: a blank between two operands when neither is a string. */
export function sprint(args: readonly Value[]): ByteString {
  let out = "";
  args.forEach((value, at) => {
    const before = args[at - 1];
    if (at > 0 && value?.kind !== "string" && before?.kind !== "string") out += " ";
    out = notTooLong(out + formatValue(value));
  });
  return out;
}

/** Go's `fmt.Sprintln`. */
export function sprintln(args: readonly Value[]): ByteString {
  let out = "";
  args.forEach((value, at) => {
    out = notTooLong(out + (at > 0 ? " " : "") + formatValue(value));
  });
  return `${out}\n`;
}

/** Go's `fmt.Sprintf`, with its complaints in the text. */
export function sprintf(format: ByteString, args: readonly Value[]): ByteString {
  let out = "";
  let at = 0;
  let argument = 0;
  let reordered = false;
  let indexIsGood = true;

  /** `[2]` in front of a width, a precision or a verb. */
  const takeIndex = (): boolean => {
    if (format.charAt(at) !== "[") return false;
    reordered = true;
    const close = format.indexOf("]", at);
    const digits = close < 0 ? "" : format.slice(at + 1, close);
    const number = /^[0-9]+$/.test(digits) && digits.length <= 7 ? Number(digits) : -1;
    at = close < 0 ? at + 1 : close + 1;
    if (number >= 1 && number <= args.length) {
      argument = number - 1;
      return true;
    }
    indexIsGood = false;
    return number >= 0;
  };
  const takeNumber = (): number | undefined => {
    const number = /[0-9]*/y;
    number.lastIndex = at;
    const digits = number.exec(format)?.[0] ?? "";
    at += digits.length;
    if (digits === "") return undefined;
    if (digits.length > 7 || Number(digits) > LARGEST) {
      at = format.length;
      return undefined;
    }
    return Number(digits);
  };
  const takeArgument = (): number | undefined => {
    const value = args[argument];
    if (argument < args.length) argument += 1;
    if (value === undefined || (value.kind !== "int" && value.kind !== "uint")) return undefined;
    return value.v > BigInt(LARGEST) || value.v < -BigInt(LARGEST) ? undefined : Number(value.v);
  };
  const takeFlags = (): FormatState => {
    const flags = /[#0+\- ]*/y;
    flags.lastIndex = at;
    const text = flags.exec(format)?.[0] ?? "";
    at += text.length;
    return {
      ...PLAIN,
      sharp: text.includes("#"),
      zero: text.includes("0"),
      plus: text.includes("+"),
      minus: text.includes("-"),
      space: text.includes(" "),
    };
  };
  const takeVerb = (): void => {
    indexIsGood = true;
    let state = takeFlags();
    let afterIndex = takeIndex();
    if (format.charAt(at) === "*") {
      at += 1;
      const width = takeArgument();
      if (width === undefined) out += "%!(BADWIDTH)";
      else state = { ...state, width: Math.abs(width), minus: state.minus || width < 0 };
      afterIndex = false;
    } else {
      const width = takeNumber();
      if (width !== undefined) {
        state = { ...state, width };
        if (afterIndex) indexIsGood = false;
      }
    }
    if (format.charAt(at) === ".") {
      at += 1;
      if (afterIndex) indexIsGood = false;
      afterIndex = takeIndex();
      if (format.charAt(at) === "*") {
        at += 1;
        const precision = takeArgument();
        if (precision === undefined || precision < 0) {
          if (precision === undefined || precision < 0) out += "%!(BADPREC)";
        } else state = { ...state, precision };
        afterIndex = false;
      } else state = { ...state, precision: takeNumber() ?? 0 };
    }
    if (!afterIndex) takeIndex();
    if (at >= format.length) {
      out += "%!(NOVERB)";
      return;
    }
    const { size } = decodeRune(format, at);
    const bytes = format.slice(at, at + size);
    at += size;
    if (bytes === "%") out += "%";
    else if (!indexIsGood) out += `%!${bytes}(BADINDEX)`;
    else if (argument >= args.length) out += `%!${bytes}(MISSING)`;
    else {
      out += formatWith(args[argument], fromBytes(bytes), bytes === "v" ? forValues(state) : state);
      argument += 1;
    }
  };

  while (at < format.length) {
    const percent = format.indexOf("%", at);
    const end = percent < 0 ? format.length : percent;
    out = notTooLong(out + format.slice(at, end));
    at = end + 1;
    if (percent >= 0) takeVerb();
  }
  if (!reordered && argument < args.length) {
    const extra = args
      .slice(argument)
      .map((value) => (value === undefined ? "<nil>" : `${value.type.name}=${formatValue(value)}`));
    out += `%!(EXTRA ${extra.join(", ")})`;
  }
  return out;
}

/** `#` and `+` mean something else for `%v`. */
function forValues(state: FormatState): FormatState {
  return { ...state, sharpV: state.sharp, sharp: false, plusV: state.plus, plus: false };
}
