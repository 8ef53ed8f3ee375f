import { type ByteString, decodeRune, encodeRune, isPrint, runesOf, RUNE_ERROR } from "./byte-string.ts";

const SIMPLE: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, "\\": 92 };

/** Go's `strconv.Unquote` of a string in double quotes or backquotes; undefined where it is malformed. */
export function unquote(quoted: ByteString): ByteString | undefined {
  const mark = quoted.charAt(0);
  if (quoted.length < 2 || quoted.at(-1) !== mark) return undefined;
  const inner = quoted.slice(1, -1);
  if (mark === "`") return inner.replaceAll("\r", "");
  if (mark !== '"') return undefined;
  let out = "";
  for (let at = 0; at < inner.length;) {
    const step = unquoteChar(inner, at, '"');
    if (step === undefined) return undefined;
    out += step.bytes;
    at = step.next;
  }
  return out;
}

/** The rune of a character constant such as `'x'` or `'\n'`; undefined where it is malformed. */
export function unquoteRune(quoted: ByteString): number | undefined {
  const step = unquoteChar(quoted, 1, "'");
  if (step === undefined || quoted.slice(step.next) !== "'") return undefined;
  return step.rune;
}

interface UnquotedChar {
  readonly rune: number;
  readonly bytes: ByteString;
  readonly next: number;
}

function unquoteChar(text: ByteString, at: number, mark: string): UnquotedChar | undefined {
  const char = text.charAt(at);
  if (char === "" || char === mark || char === "\n") return undefined;
  if (char !== "\\") {
    const { rune, size } = decodeRune(text, at);
    return { rune, bytes: text.slice(at, at + size), next: at + size };
  }
  const letter = text.charAt(at + 1);
  const simple = SIMPLE[letter];
  if (simple !== undefined) return { rune: simple, bytes: String.fromCharCode(simple), next: at + 2 };
  if (letter === mark) return { rune: mark.charCodeAt(0), bytes: mark, next: at + 2 };
  const digits = { x: 2, u: 4, U: 8 }[letter];
  if (digits !== undefined) {
    const code = text.slice(at + 2, at + 2 + digits);
    if (code.length !== digits || !/^[0-9a-fA-F]+$/.test(code)) return undefined;
    const rune = Number.parseInt(code, 16);
    const next = at + 2 + digits;
    if (letter === "x") return { rune, bytes: String.fromCharCode(rune), next };
    if (rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff)) return undefined;
    return { rune, bytes: encodeRune(rune), next };
  }
  const octal = /^[0-7]{3}/.exec(text.slice(at + 1, at + 4))?.[0];
  const value = octal === undefined ? 256 : Number.parseInt(octal, 8);
  return value > 255 ? undefined : { rune: value, bytes: String.fromCharCode(value), next: at + 4 };
}

export interface QuoteOptions {
  /** Everything beyond ASCII is escaped (`%+q`). */
  readonly asciiOnly?: boolean;
}

/** Go's `strconv.Quote`. */
export function quote(bytes: ByteString, options: QuoteOptions = {}): ByteString {
  let out = '"';
  for (const { rune, at, size } of runesOf(bytes)) {
    const isInvalid = rune === RUNE_ERROR && size === 1;
    out += isInvalid ? `\\x${hex(bytes.charCodeAt(at), 2)}` : escapeRune(rune, '"', options);
  }
  return `${out}"`;
}

/** Go's `strconv.QuoteRune`. */
export function quoteRune(rune: number, options: QuoteOptions = {}): ByteString {
  const isRune = rune >= 0 && rune <= 0x10ffff && !(rune >= 0xd800 && rune <= 0xdfff);
  return `'${escapeRune(isRune ? rune : RUNE_ERROR, "'", options)}'`;
}

/** Go's `strconv.CanBackquote`. */
export function canBackquote(bytes: ByteString): boolean {
  for (const { rune, size } of runesOf(bytes)) {
    if (rune === 0xfeff || (rune === RUNE_ERROR && size === 1)) return false;
    if ((rune < 0x20 && rune !== 9) || rune === 0x60 || rune === 0x7f) return false;
  }
  return true;
}

const ESCAPES: Readonly<Record<number, string>> = {
  7: "\\a",
  8: "\\b",
  12: "\\f",
  10: "\\n",
  13: "\\r",
  9: "\\t",
  11: "\\v",
};

function escapeRune(rune: number, mark: string, options: QuoteOptions): ByteString {
  if (rune === mark.charCodeAt(0) || rune === 0x5c) return `\\${String.fromCharCode(rune)}`;
  if (options.asciiOnly === true ? rune < 0x80 && isPrint(rune) : isPrint(rune)) return encodeRune(rune);
  const simple = ESCAPES[rune];
  if (simple !== undefined) return simple;
  if (rune < 0x20 || rune === 0x7f) return `\\x${hex(rune, 2)}`;
  return rune < 0x10000 ? `\\u${hex(rune, 4)}` : `\\U${hex(rune, 8)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
