import { endWithoutBlanks, skipBlanks } from "./env-blank.ts";
import { closingQuote, expandValue } from "./env-expand.ts";
import type { ExpandScope } from "./env-expand.ts";
import { decodeEnvText } from "./env-text.ts";

/** Something in an env file that cannot be taken. Its message never contains a value. */
export interface EnvProblem {
  /** From 1. */
  readonly line: number;
  readonly key?: string;
  readonly message: string;
}

export interface EnvFile {
  /** Key -> value, in the order of first mention; `line` is where the value that holds begins. */
  readonly pairs: ReadonlyMap<string, { readonly value: string; readonly line: number }>;
  /** By line. A key whose line is wrong is not among the pairs. */
  readonly problems: readonly EnvProblem[];
  /** `$name` in the value of `key` that neither the file nor the environment knows; it became nothing. */
  readonly unset: readonly { readonly name: string; readonly key: string; readonly line: number }[];
  /** Keys that were given before in the same file; the last one holds. */
  readonly repeated: readonly { readonly key: string; readonly line: number }[];
}

/** What variables may add to a file altogether, in characters: values that double each other must end somewhere. */
const MOST_EXPANDED = 16 * 1024 * 1024;

/** A file with more mistakes than this is no env file; nobody reads on. */
const MOST_REPORTS = 500;

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** After a quote that is never closed, only such a line is surely no part of what was quoted. */
const SURE_ASSIGNMENT = /^(?:export[ \t]+)?[A-Z][A-Z0-9_]*[ \t]*=(?!=)/;

/**
 * Reads an env file: comments, `export`, `KEY=value` or `KEY: value`, single and double quotes over several lines,
 * `$NAME`, `${NAME}` and `${NAME:-default}` from earlier lines or the environment. Takes time in proportion to its size,
 * goes on after a mistake, and never throws.
 */
export function parseEnvFile(content: Uint8Array, environment: Readonly<Record<string, string | undefined>>): EnvFile {
  const { text, badLines } = decodeEnvText(content);
  const pairs = new Map<string, { value: string; line: number }>();
  const broken = new Set<string>();
  const given = new Set<string>();
  const problems: EnvProblem[] = [];
  const unset: { name: string; key: string; line: number }[] = [];
  const repeated: { key: string; line: number }[] = [];
  let expanded = 0;
  let isRecovering = false;

  function report(line: number, message: string, key?: string): void {
    if (problems.length < MOST_REPORTS) problems.push(key === undefined ? { line, message } : { line, key, message });
    if (key !== undefined) broken.add(key);
  }

  function scopeFor(key: string, line: number, start: number): ExpandScope {
    const lineOf = createLineCounter(text, line, start);
    return {
      text,
      lookup: (name) => {
        if (broken.has(name)) return "";
        return pairs.get(name)?.value ?? (Object.hasOwn(environment, name) ? environment[name] : undefined);
      },
      spend: (characters) => {
        expanded += characters;
        return expanded <= MOST_EXPANDED;
      },
      onUnset: (name, index) => {
        if (unset.length < MOST_REPORTS) unset.push({ name, key, line: lineOf(index) });
      },
      onProblem: (message, index) => {
        report(lineOf(index), message, key);
      },
    };
  }

  function takeBadLines(key: string, first: number, last: number): boolean {
    let isBad = false;
    for (let line = first; badLines.size > 0 && line <= last; line += 1) {
      const message = badLines.get(line);
      if (message === undefined) continue;
      report(line, message, key);
      badLines.delete(line);
      isBad = true;
    }
    return isBad;
  }

  function store(key: string, line: number, lastLine: number, value: string | undefined): void {
    if (given.has(key) && repeated.length < MOST_REPORTS) repeated.push({ key, line });
    given.add(key);
    if (takeBadLines(key, line, lastLine) || value === undefined) {
      pairs.delete(key);
      return;
    }
    broken.delete(key);
    pairs.set(key, { value, line });
  }

  /** Reads the assignment at `at`. @returns where the next line begins, and its number */
  function readAssignment(at: number, lineEnd: number, line: number): { next: number; nextLine: number } {
    const following = { next: lineEnd + 1, nextLine: line + 1 };
    const separator = separatorAt(text, at, lineEnd);
    if (separator === undefined) {
      report(line, 'has no "=": a line is KEY=value, a comment or blank');
      return following;
    }
    const key = keyOf(text.slice(at, separator));
    if (!VARIABLE_NAME.test(key)) {
      report(line, `${shownKey(key)} is not a variable name (letters, digits and _, not beginning with a digit)`);
      return following;
    }
    const start = skipBlanks(text, separator + 1, lineEnd);
    const quote = start < lineEnd ? text[start] : undefined;
    if (quote !== "'" && quote !== '"') {
      store(key, line, line, expandValue(scopeFor(key, line, start), start, lineEnd, "plain"));
      return following;
    }
    const close = closingQuote(text, start, text.length);
    if (close === undefined) {
      report(line, "a quote is opened here and never closed", key);
      isRecovering = true;
      return following;
    }
    const spannedLines = close > lineEnd ? countLineFeeds(text, start, close) : 0;
    const lastLine = line + spannedLines;
    const lastEnd = spannedLines === 0 ? lineEnd : endOfLine(text, close);
    const rest = skipBlanks(text, close + 1, lastEnd);
    if (rest < lastEnd && text[rest] !== "#") {
      if (spannedLines === 0) {
        report(line, "there is text after the closing quote", key);
        return following;
      }
      report(
        line,
        `a quote is opened here; text follows the next quote like it (line ${lastLine}), so it was not closed`,
        key,
      );
      isRecovering = true;
      return following;
    }
    const isLiteral = quote === "'";
    const scope = scopeFor(key, line, start);
    store(
      key,
      line,
      lastLine,
      isLiteral ? text.slice(start + 1, close) : expandValue(scope, start + 1, close, "double"),
    );
    return { next: lastEnd + 1, nextLine: lastLine + 1 };
  }

  let line = 1;
  for (let lineStart = 0; lineStart < text.length && problems.length < MOST_REPORTS;) {
    const lineEnd = endOfLine(text, lineStart);
    const at = skipBlanks(text, lineStart, lineEnd);
    const isIgnored = at === lineEnd || text[at] === "#";
    if (isIgnored || (isRecovering && !SURE_ASSIGNMENT.test(text.slice(at, Math.min(lineEnd, at + 200))))) {
      lineStart = lineEnd + 1;
      line += 1;
    } else {
      isRecovering = false;
      const { next, nextLine } = readAssignment(at, lineEnd, line);
      lineStart = next;
      line = nextLine;
    }
  }
  if (problems.length >= MOST_REPORTS)
    problems.push({ line, message: "too many problems; the rest of the file was not read" });
  for (const [badLine, message] of badLines) report(badLine, message);
  problems.sort((a, b) => a.line - b.line);
  return { pairs, problems, unset, repeated };
}

function endOfLine(text: string, from: number): number {
  const found = text.indexOf("\n", from);
  return found === -1 ? text.length : found;
}

function separatorAt(text: string, from: number, end: number): number | undefined {
  for (let at = from; at < end; at += 1) {
    if (text[at] === "=" || text[at] === ":") return at;
  }
  return undefined;
}

/** `export` counts as the key itself only when the separator follows it at once. */
function keyOf(written: string): string {
  const exported = /^export(?=[^A-Za-z0-9_])/.exec(written)?.[0];
  const start = exported === undefined ? 0 : skipBlanks(written, exported.length, written.length);
  const isExport = exported !== undefined && start > exported.length;
  return written.slice(isExport ? start : 0, endWithoutBlanks(written, isExport ? start : 0, written.length));
}

/** A wrong key may be part of a secret that went astray: little of it is shown, and only where it looks like a name. */
function shownKey(key: string): string {
  if (key === "") return "the text before the separator";
  // The rest may be a secret (`SSH_PASSWORD pass:word`), or all of it (a line of a secret that lost its quotes).
  const [name] = /^[A-Z][A-Z0-9]*_[A-Z0-9_]*(?= )/.exec(key) ?? [];
  return name === undefined ? "the text before the separator (not shown)" : `"${name.slice(0, 40)} …"`;
}

function countLineFeeds(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at += 1) {
    if (text[at] === "\n") count += 1;
  }
  return count;
}

/** Line numbers for positions that are asked for in ascending order, from a line whose number is known. */
function createLineCounter(text: string, line: number, start: number): (index: number) => number {
  let counted = start;
  let current = line;
  return (index) => {
    if (index > counted) {
      current += countLineFeeds(text, counted, index);
      counted = index;
    }
    return current;
  };
}
