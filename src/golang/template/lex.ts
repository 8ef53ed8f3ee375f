import { type ByteString, decodeRune } from "./byte-string.ts";
import { TemplateSyntaxError } from "./errors.ts";

export type TokenType =
  | "text"
  | "left"
  | "right"
  | "space"
  | "identifier"
  | "field"
  | "variable"
  | "dot"
  | "number"
  | "complex"
  | "char-constant"
  | "string"
  | "raw-string"
  | "bool"
  | "nil"
  | "keyword"
  | "assign"
  | "declare"
  | "pipe"
  | "left-paren"
  | "right-paren"
  | "char"
  | "end";

export interface Token {
  readonly type: TokenType;
  readonly text: ByteString;
  /** Byte offset. */
  readonly at: number;
  readonly line: number;
}

const KEYWORDS = new Set(["block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"]);
const SPACES = " \t\r\n";

const isSpace = (char: string): boolean => char !== "" && SPACES.includes(char);

/** Cuts a template's source into tokens, one at a time: an error late in a file does not hide one before it. */
export function createLexer(name: string, input: ByteString): { next(): Token } {
  let at = 0;
  let line = 1;
  let parens = 0;
  let insideAction = false;

  const fail = (message: string): never => {
    throw new TemplateSyntaxError(name, line, message);
  };
  /** The token from `at` to `end`; its line is the one that it begins on. */
  const take = (type: TokenType, end: number): Token => {
    const token: Token = { type, text: input.slice(at, end), at, line };
    line += count(token.text);
    at = end;
    return token;
  };
  const rightDelimAt = (position: number): "none" | "plain" | "trimming" => {
    if (isSpace(input.charAt(position)) && input.startsWith("-}}", position + 1)) return "trimming";
    return input.startsWith("}}", position) ? "plain" : "none";
  };
  const skipSpace = (): void => {
    let end = at;
    while (isSpace(input.charAt(end))) end += 1;
    take("space", end);
  };
  const trimsLeft = (position: number): boolean =>
    input.charAt(position) === "-" && isSpace(input.charAt(position + 1));

  const lexText = (): Token => {
    for (;;) {
      const start = input.indexOf("{{", at);
      if (start < 0) return at < input.length ? take("text", input.length) : take("end", at);
      if (start > at) {
        let end = start;
        if (trimsLeft(start + 2)) while (end > at && isSpace(input.charAt(end - 1))) end -= 1;
        const token = take("text", end);
        take("space", start);
        if (token.text !== "") return token;
      }
      const afterMarker = start + (trimsLeft(start + 2) ? 4 : 2);
      if (!input.startsWith("/*", afterMarker)) {
        insideAction = true;
        parens = 0;
        return take("left", afterMarker);
      }
      lexComment(afterMarker);
    }
  };
  const lexComment = (start: number): void => {
    const close = input.indexOf("*/", start + 2);
    if (close < 0) fail("unclosed comment");
    const end = close + 2;
    const delim = rightDelimAt(end);
    if (delim === "none") fail("comment ends before closing delimiter");
    take("space", end + (delim === "trimming" ? 4 : 2));
    if (delim === "trimming") skipSpace();
  };
  const lexRight = (): Token => {
    if (rightDelimAt(at) === "trimming") {
      take("space", at + 2);
      const token = take("right", at + 2);
      skipSpace();
      insideAction = false;
      return token;
    }
    insideAction = false;
    return take("right", at + 2);
  };
  const lexSpace = (): Token => {
    let end = at;
    while (isSpace(input.charAt(end))) end += 1;
    // The last blank may belong to a closing delimiter that trims.
    if (rightDelimAt(end - 1) === "trimming") {
      if (end - at === 1) return lexRight();
      return take("space", end - 1);
    }
    return take("space", end);
  };
  const wordEnd = (start: number): number => {
    let end = start;
    while (end < input.length) {
      const { rune, size } = decodeRune(input, end);
      if (!isAlphaNumeric(rune)) break;
      end += size;
    }
    return end;
  };
  const isTerminator = (position: number): boolean => {
    const char = input.charAt(position);
    return char === "" || isSpace(char) || ".,|:)(".includes(char) || input.startsWith("}}", position);
  };
  const badCharacter = (position: number): never => {
    const rune = position < input.length ? decodeRune(input, position).rune : 0xfffd;
    return fail(`bad character ${shown(rune)}`);
  };
  const lexWord = (): Token => {
    const end = wordEnd(at);
    if (!isTerminator(end)) badCharacter(end);
    const word = input.slice(at, end);
    if (KEYWORDS.has(word)) return take("keyword", end);
    if (word === "nil") return take("nil", end);
    return take(word === "true" || word === "false" ? "bool" : "identifier", end);
  };
  const lexName = (type: "field" | "variable"): Token => {
    if (isTerminator(at + 1)) return take(type === "field" ? "dot" : "variable", at + 1);
    const end = wordEnd(at + 1);
    if (!isTerminator(end)) badCharacter(end);
    return take(type, end);
  };
  const lexQuoted = (type: "string" | "char-constant", quote: string, what: string): Token => {
    for (let end = at + 1; end < input.length; end += 1) {
      const char = input.charAt(end);
      if (char === "\n") break;
      if (char === quote) return take(type, end + 1);
      if (char === "\\") {
        end += 1;
        if (input.charAt(end) === "\n") break;
      }
    }
    return fail(`unterminated ${what}`);
  };
  const lexNumber = (): Token => {
    const scan = (start: number): { end: number; ok: boolean } => {
      const end = scanNumber(input, start);
      const next = end < input.length ? decodeRune(input, end) : undefined;
      return next !== undefined && isAlphaNumeric(next.rune) ? { end: end + next.size, ok: false } : { end, ok: true };
    };
    const bad = (end: number): never => fail(`bad number syntax: "${input.slice(at, end)}"`);
    const first = scan(at);
    if (!first.ok) bad(first.end);
    const sign = input.charAt(first.end);
    if (sign !== "+" && sign !== "-") return take("number", first.end);
    const second = scan(first.end);
    if (!second.ok || input.charAt(second.end - 1) !== "i") bad(second.end);
    return take("complex", second.end);
  };
  const lexParen = (char: string): Token => {
    parens += char === "(" ? 1 : -1;
    if (parens < 0) fail("unexpected right paren");
    return take(char === "(" ? "left-paren" : "right-paren", at + 1);
  };
  const lexAction = (): Token => {
    if (rightDelimAt(at) !== "none") return parens === 0 ? lexRight() : fail("unclosed left paren");
    const char = input.charAt(at);
    if (char === "") return fail("unclosed action");
    if (isSpace(char)) return lexSpace();
    if (char === "=") return take("assign", at + 1);
    if (char === ":") return input.charAt(at + 1) === "=" ? take("declare", at + 2) : fail("expected :=");
    if (char === "|") return take("pipe", at + 1);
    if (char === '"') return lexQuoted("string", '"', "quoted string");
    if (char === "'") return lexQuoted("char-constant", "'", "character constant");
    if (char === "`") {
      const end = input.indexOf("`", at + 1);
      return end < 0 ? fail("unterminated raw quoted string") : take("raw-string", end + 1);
    }
    if (char === "$") return lexName("variable");
    if (char === "." && at + 1 < input.length && !/[0-9]/.test(input.charAt(at + 1))) return lexName("field");
    if (/[.+\-0-9]/.test(char)) return lexNumber();
    const { rune, size } = decodeRune(input, at);
    if (isAlphaNumeric(rune)) return lexWord();
    if (char === "(" || char === ")") return lexParen(char);
    if (rune > 0x20 && rune < 0x7f) return take("char", at + size);
    return fail(`unrecognized character in action: ${shown(rune)}`);
  };
  return { next: () => (insideAction ? lexAction() : lexText()) };
}

/** Where a number that begins at `start` ends: sign, digits of its base, fraction, exponent, `i`. */
function scanNumber(input: string, start: number): number {
  const number =
    /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/y;
  number.lastIndex = start;
  return start + (number.exec(input)?.[0].length ?? 0);
}

export function isAlphaNumeric(rune: number): boolean {
  if (rune === 0x5f) return true;
  return rune <= 0x10ffff && /^[\p{L}\p{Nd}]$/u.test(String.fromCodePoint(rune));
}

function shown(rune: number): string {
  const code = `U+${rune.toString(16).toUpperCase().padStart(4, "0")}`;
  return rune > 0x20 && rune !== 0xfffd ? `${code} '${String.fromCodePoint(rune)}'` : code;
}

function count(text: string): number {
  let lines = 0;
  for (let found = text.indexOf("\n"); found >= 0; found = text.indexOf("\n", found + 1)) lines += 1;
  return lines;
}
