import { unicodeClass } from "./re2-names.ts";
import { clipped } from "./text.ts";

/**
 * Go's expressions for the engine: the engine parses them as Go does, except for the names of Unicode classes, of which
 * each knows others, and for groups of the same name, which Go takes.
 */

/**
 * Go allows 3.3 million instructions; the engine needs some 600 bytes for each. This is far beyond what anyone writes
 * by hand, and keeps an expression below 60 MB.
 */
const MOST_INSTRUCTIONS = 100_000;

/** Reading an expression may take time in proportion to the square of its length, so that is bounded too. */
const LONGEST_PATTERN = 65_536;

interface Scanner {
  readonly pattern: string;
  at: number;
  isInClass: boolean;
  /** Where the last `:]` is, -1 if there is none. */
  readonly lastPosixEnd: number;
  /** Named groups so far. */
  groups: number;
  out: string;
}

/** @throws Error for a class that Go does not know, and for an expression that would need too much memory */
export function translatePattern(pattern: string): string {
  if (pattern.length > LONGEST_PATTERN) throw tooLarge();
  const lastPosixEnd = pattern.lastIndexOf(":]");
  const scanner: Scanner = { pattern, at: 0, isInClass: false, lastPosixEnd, groups: 0, out: "" };
  const size = createSizeEstimate();
  while (scanner.at < pattern.length) {
    const start = scanner.at;
    if (pattern[start] === "\\") copyEscape(scanner, size);
    else if (scanner.isInClass) copyInClass(scanner);
    else copyOutsideClass(scanner, size);
    if (size.total() > MOST_INSTRUCTIONS) throw tooLarge();
  }
  return scanner.out;
}

function copy(scanner: Scanner, end: number): void {
  scanner.out += scanner.pattern.slice(scanner.at, end);
  scanner.at = end;
}

function copyEscape(scanner: Scanner, size: SizeEstimate): void {
  const { pattern, at, isInClass } = scanner;
  const next = pattern.charAt(at + 1);
  if (next === "Q") {
    const end = pattern.indexOf("\\E", at + 2);
    const textEnd = end === -1 ? pattern.length : end;
    for (let count = at + 2; count < textEnd; count += 1) size.atom();
    copy(scanner, end === -1 ? pattern.length : end + 2);
    return;
  }
  if (!isInClass) size.atom();
  if (next === "p" || next === "P") copyUnicodeClass(scanner, next === "P");
  else copy(scanner, at + 1 + characterAt(pattern, at + 1).length);
}

function copyUnicodeClass(scanner: Scanner, isCapital: boolean): void {
  const { pattern, at } = scanner;
  const brace = pattern[at + 2] === "{" ? pattern.indexOf("}", at + 3) : undefined;
  if (brace === -1) throw unknownClass(pattern.slice(at));
  const end = brace === undefined ? at + 2 + characterAt(pattern, at + 2).length : brace + 1;
  const written = brace === undefined ? pattern.slice(at + 2, end) : pattern.slice(at + 3, brace);
  const hasCaret = written.startsWith("^");
  const found = unicodeClass(hasCaret ? written.slice(1) : written);
  if (found === undefined) throw unknownClass(pattern.slice(at, end));
  const isNegated = [isCapital, hasCaret, found.isNegated].filter(Boolean).length % 2 === 1;
  scanner.out += engineClass(found.name, isNegated, scanner.isInClass);
  scanner.at = end;
}

function engineClass(name: string, isNegated: boolean, isInClass: boolean): string {
  if (name === "ASCII") {
    const posix = isNegated ? "[:^ascii:]" : "[:ascii:]";
    return isInClass ? posix : `[${posix}]`;
  }
  const plain = `\\${isNegated ? "P" : "p"}{${name}}`;
  // Go does not fold the case of this one.
  return name === "LC" && !isInClass ? `(?-i:${plain})` : plain;
}

function tooLarge(): Error {
  return new Error("error parsing regexp: expression too large");
}

function unknownClass(text: string): Error {
  return new Error(`error parsing regexp: invalid character class range: \`${clipped(text)}\``);
}

function copyInClass(scanner: Scanner): void {
  const { pattern, at } = scanner;
  if (pattern[at] === "[") {
    const isPosix = pattern[at + 1] === ":" && at + 2 <= scanner.lastPosixEnd;
    if (isPosix) {
      copy(scanner, pattern.indexOf(":]", at + 2) + 2);
    } else {
      // The engine would look for the end of a POSIX class once more, through the rest of the expression.
      scanner.out += "\\[";
      scanner.at = at + 1;
    }
    return;
  }
  if (pattern[at] === "]") scanner.isInClass = false;
  copy(scanner, at + 1);
}

function copyOutsideClass(scanner: Scanner, size: SizeEstimate): void {
  const { pattern, at } = scanner;
  const character = characterAt(pattern, at);
  if (character === "[") {
    scanner.isInClass = true;
    size.atom();
    // A `]` that comes first is a member.
    copy(scanner, at + (/^\[\^?\]?/.exec(pattern.slice(at, at + 3))?.[0].length ?? 1));
    return;
  }
  const [repeat, least, most] = character === "{" ? (repeatAt(pattern, at) ?? []) : [];
  if (repeat !== undefined) {
    size.repeat(Math.max(1, Number(least), Number(most ?? 0)));
    copy(scanner, at + repeat.length);
    return;
  }
  if (character === "(") {
    size.open();
    const named = nameAt(pattern, at);
    if (named === undefined) {
      copy(scanner, at + 1);
      return;
    }
    scanner.groups += 1;
    scanner.out += `(?P<g${scanner.groups}>`;
    scanner.at = at + named.length;
    return;
  }
  if (character === ")") size.close();
  else size.atom();
  copy(scanner, at + character.length);
}

/** The start of a named group; nobody asks for the names. */
function nameAt(pattern: string, at: number): string | undefined {
  const name = /\(\?P?<[A-Za-z0-9_]+>/y;
  name.lastIndex = at;
  return name.exec(pattern)?.[0];
}

function repeatAt(pattern: string, at: number): RegExpExecArray | undefined {
  const repeat = /\{([0-9]{1,9})(?:,([0-9]{0,9}))?\}/y;
  repeat.lastIndex = at;
  return repeat.exec(pattern) ?? undefined;
}

function characterAt(text: string, at: number): string {
  const code = text.codePointAt(at);
  return code === undefined ? "" : String.fromCodePoint(code);
}

interface SizeEstimate {
  atom(): void;
  open(): void;
  close(): void;
  repeat(times: number): void;
  /** Instructions so far, in the group that is open now. */
  total(): number;
}

/** Counts what an expression grows to when its repetitions are written out. */
function createSizeEstimate(): SizeEstimate {
  const outer: number[] = [];
  let group = 0;
  let last = 0;
  return {
    atom: () => {
      last = 1;
      group += 1;
    },
    open: () => {
      outer.push(group);
      group = 0;
    },
    close: () => {
      last = group + 2;
      group = (outer.pop() ?? 0) + last;
    },
    repeat: (times) => {
      group += last * (times - 1);
      last *= times;
    },
    total: () => group,
  };
}
