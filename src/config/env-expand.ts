import { endWithoutBlanks, isBlank, skipBlanks } from "./env-blank.ts";

/** What the value of a variable may be built from, and whom to tell about what is missing or wrong. */
export interface ExpandScope {
  readonly text: string;
  lookup(name: string): string | undefined;
  /** Whether so many more characters may come out of variables: a file must not grow without bound. */
  spend(characters: number): boolean;
  onUnset(name: string, index: number): void;
  onProblem(message: string, index: number): void;
}

/** `plain` is unquoted. */
export type Quoting = "plain" | "double";

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ['"', '"'],
  ["\\", "\\"],
  ["$", "$"],
]);

const DEEPEST_DEFAULT = 20;

const FORMS =
  "only $NAME, ${NAME} and ${NAME:-default} are understood; write single quotes around a value that has others";

interface Piece {
  readonly value: string;
  /** Behind the last character that was read. */
  readonly end: number;
}

/** A problem after which the rest of the value has no meaning; it was reported already. */
const GIVEN_UP = Symbol("given up");

type Outcome = Piece | typeof GIVEN_UP;

interface Range {
  readonly end: number;
  readonly quoting: Quoting;
  /** How many `${NAME:-` are open. */
  readonly depth: number;
  /** False inside a default that is not needed: it must be well-formed, but nothing in it is missing. */
  readonly isUsed: boolean;
}

/**
 * The value of `text[from..end)`: escapes and variables, for `plain` also up to a comment and without blanks at the end.
 * @returns undefined when it was reported as wrong
 */
export function expandValue(scope: ExpandScope, from: number, end: number, quoting: Quoting): string | undefined {
  const outcome = expandRange(scope, from, { end, quoting, depth: 0, isUsed: true });
  return outcome === GIVEN_UP ? undefined : outcome.value;
}

function expandRange(scope: ExpandScope, from: number, range: Range): Outcome {
  const { text } = scope;
  const isPlainValue = range.quoting === "plain" && range.depth === 0;
  const special = range.depth > 0 ? "$\\}" : isPlainValue ? "$\\#" : "$\\";
  let value = "";
  // Blanks that a variable brought are kept; those that were written, and stand at an end of the value, are not.
  let written = "";
  const keepWritten = (end = written.length): void => {
    value += written.slice(isPlainValue && value === "" ? skipBlanks(written, 0, end) : 0, end);
    written = "";
  };
  let at = from;
  for (;;) {
    const stop = firstOf(special, text, at, range.end);
    written += text.slice(at, stop);
    at = stop;
    if (at === range.end) break;
    const character = text[at];
    if (character === "}") {
      keepWritten();
      return { value, end: at + 1 };
    }
    if (character === "#") {
      if (at > from && isBlank(text[at - 1])) break;
      written += "#";
      at += 1;
    } else if (character === "\\") {
      const escape = escapeAt(text, at, range);
      written += escape ?? "\\";
      at += escape === undefined ? 1 : 2;
    } else {
      const variable = expandVariable(scope, at, range);
      if (variable === GIVEN_UP) return GIVEN_UP;
      if (variable === undefined) {
        written += "$";
        at += 1;
      } else {
        at = variable.end;
        if (variable.value === "") continue;
        keepWritten();
        value += variable.value;
      }
    }
  }
  if (range.depth > 0) {
    scope.onProblem("a ${ is not closed", from);
    return GIVEN_UP;
  }
  keepWritten(isPlainValue ? endWithoutBlanks(written, 0, written.length) : written.length);
  return { value, end: at };
}

function escapeAt(text: string, at: number, range: Range): string | undefined {
  if (at + 1 >= range.end) return undefined;
  const next = text.charAt(at + 1);
  return range.quoting === "double" || next === "$" ? ESCAPES.get(next) : undefined;
}

/** @returns undefined where the `$` starts no name and stays */
function expandVariable(scope: ExpandScope, at: number, range: Range): Outcome | undefined {
  const { text } = scope;
  const isBraced = text[at + 1] === "{" && at + 1 < range.end;
  const name = nameAt(text, at + (isBraced ? 2 : 1), range.end);
  if (!isBraced) return name === "" ? undefined : valueOf(scope, name, at, at + 1 + name.length, range);
  const after = at + 2 + name.length;
  if (name !== "" && after < range.end && text[after] === "}") return valueOf(scope, name, at, after + 1, range);
  if (name === "" || !text.startsWith(":-", after) || after + 2 > range.end) {
    scope.onProblem(after >= range.end ? "a ${ is not closed" : `a \${…} of another form: ${FORMS}`, at);
    return GIVEN_UP;
  }
  if (range.depth === DEEPEST_DEFAULT) {
    scope.onProblem(`more than ${DEEPEST_DEFAULT} defaults inside each other`, at);
    return GIVEN_UP;
  }
  const known = scope.lookup(name) ?? "";
  const fallback = expandDefault(scope, after + 2, {
    ...range,
    depth: range.depth + 1,
    isUsed: range.isUsed && known === "",
  });
  if (fallback === GIVEN_UP || known === "") return fallback;
  return spent(scope, known, at, fallback.end, range);
}

function expandDefault(scope: ExpandScope, from: number, range: Range): Outcome {
  const { text } = scope;
  const quote = text[from];
  if (range.quoting === "plain" && (quote === '"' || quote === "'")) {
    const close = closingQuote(text, from, range.end);
    if (close !== undefined && close + 1 < range.end && text[close + 1] === "}") {
      if (quote === "'") return { value: text.slice(from + 1, close), end: close + 2 };
      const inner = expandRange(scope, from + 1, { end: close, quoting: "double", depth: 0, isUsed: range.isUsed });
      return inner === GIVEN_UP ? GIVEN_UP : { value: inner.value, end: close + 2 };
    }
  }
  return expandRange(scope, from, range);
}

function valueOf(scope: ExpandScope, name: string, at: number, end: number, range: Range): Outcome {
  const known = scope.lookup(name);
  if (known === undefined && range.isUsed) scope.onUnset(name, at);
  return spent(scope, known ?? "", at, end, range);
}

function spent(scope: ExpandScope, value: string, at: number, end: number, range: Range): Outcome {
  if (!range.isUsed) return { value: "", end };
  if (scope.spend(value.length)) return { value, end };
  scope.onProblem("the variables of this file expand to too much text", at);
  return GIVEN_UP;
}

/** Position of the first of these characters, `end` if there is none before it. */
function firstOf(characters: string, text: string, from: number, end: number): number {
  let at = from;
  // Searches that look beyond `end` would walk through the rest of the file for each value.
  while (at < end && !characters.includes(text.charAt(at))) at += 1;
  return at;
}

function nameAt(text: string, from: number, end: number): string {
  const name = /[A-Za-z_][A-Za-z0-9_]*/y;
  name.lastIndex = from;
  return (name.exec(text)?.[0] ?? "").slice(0, Math.max(0, end - from));
}

/** Index of the quote that closes the one at `open`; a backslash protects it in double quotes. Undefined: none before `end`. */
export function closingQuote(text: string, open: number, end: number): number | undefined {
  if (text[open] === "'") {
    const close = text.indexOf("'", open + 1);
    return close === -1 || close >= end ? undefined : close;
  }
  const special = /["\\]/g;
  special.lastIndex = open + 1;
  for (let found = special.exec(text); found !== null && found.index < end; found = special.exec(text)) {
    if (found[0] === '"') return found.index;
    special.lastIndex = found.index + 2;
  }
  return undefined;
}
