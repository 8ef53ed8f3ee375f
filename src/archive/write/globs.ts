/**
 * Globs over full paths (`/backup/html/cache`), translated into RE2 so that any number of them costs one linear pass
 * over a path, whatever a tenant wrote.
 *
 * | in a glob | matches |
 * |---|---|
 * | `*` | any run of bytes but `/`, also none |
 * | `?` | one character but `/` |
 * | `[abc]`, `[a-z]`, `[!a]`, `[^a]` | one character of the set (or not of it), never `/`; `]` first is itself |
 * | `**` as a whole component | any number of components, also none; at the end: everything below, not the folder |
 * | `\x` | the character x |
 * | a leading `/` | the glob is for the whole path; without it, it may begin at any component: `*.log`, `node_modules` |
 * | a trailing `/` | only folders |
 *
 * A glob must match to the end of the path; what lies below a matching folder goes with it. `[` without an end is
 * itself. Empty globs match nothing.
 */
export interface GlobPatterns {
  /** RE2 expressions; undefined = matches nothing. The second counts only for folders. */
  readonly anything: string | undefined;
  readonly foldersOnly: string | undefined;
}

export function translateGlobs(globs: readonly string[]): GlobPatterns {
  const wanted = globs.filter((glob) => glob.replaceAll("/", "") !== "");
  return {
    anything: union(wanted.filter((glob) => !endsWithSlash(glob))),
    foldersOnly: union(wanted.filter(endsWithSlash).map((glob) => glob.replace(/\/+$/, ""))),
  };
}

function endsWithSlash(glob: string): boolean {
  return glob.endsWith("/");
}

function union(globs: readonly string[]): string | undefined {
  if (globs.length === 0) return undefined;
  return `(?s)${globs.map((glob) => `(?:${translateGlob(glob)})`).join("|")}`;
}

/** One glob as an RE2 expression over a whole path, to be used with the `s` flag. */
export function translateGlob(glob: string): string {
  const components = glob.split(/\/+/);
  const anchored = components[0] === "";
  if (anchored) components.shift();
  // `slash` says that the expression so far ends behind a slash.
  let expression = anchored ? "^/" : "(?:^|/)";
  components.forEach((component, index) => {
    const isLast = index === components.length - 1;
    if (component === "**") expression += isLast ? ".+" : "(?:.*/)?";
    else expression += isLast ? translateComponent(component) : `${translateComponent(component)}/`;
  });
  return `${expression}$`;
}

function translateComponent(component: string): string {
  const characters = Array.from(component);
  let expression = "";
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? "";
    if (character === "*") {
      if (characters[at + 1] !== "*") expression += "[^/]*";
    } else if (character === "?") {
      expression += "[^/]";
    } else if (character === "\\" && at + 1 < characters.length) {
      at += 1;
      expression += literal(characters[at] ?? "");
    } else if (character === "[") {
      const set = readSet(characters, at);
      expression += set?.expression ?? literal("[");
      at = set?.end ?? at;
    } else {
      expression += literal(character);
    }
  }
  return expression;
}

/** The set that begins at `start`, or undefined where it has no end; `end` is the position of its `]`. */
function readSet(characters: readonly string[], start: number): { expression: string; end: number } | undefined {
  let at = start + 1;
  const negated = characters[at] === "!" || characters[at] === "^";
  if (negated) at += 1;
  const ranges: string[] = [];
  for (let first = true; at < characters.length; first = false, at += 1) {
    if (characters[at] === "]" && !first) {
      return { expression: setExpression(ranges, negated), end: at };
    }
    if (characters[at] === "\\" && at + 1 < characters.length) at += 1;
    const from = characters[at] ?? "";
    let to = from;
    if (characters[at + 1] === "-" && at + 2 < characters.length && characters[at + 2] !== "]") {
      at += characters[at + 2] === "\\" && at + 3 < characters.length ? 3 : 2;
      to = characters[at] ?? "";
    }
    // A range that runs backwards holds nothing, as in a shell.
    if (codePoint(from) <= codePoint(to)) ranges.push(...withoutSlash(codePoint(from), codePoint(to)));
  }
  return undefined;
}

function setExpression(ranges: readonly string[], negated: boolean): string {
  if (negated) return `[^/${ranges.join("")}]`;
  // `[^\x{0}-\x{10FFFF}]` is RE2's way to say "no character at all".
  return ranges.length === 0 ? "[^\\x{0}-\\x{10FFFF}]" : `[${ranges.join("")}]`;
}

const SLASH = 0x2f;

/** A range as RE2 writes it, split around the slash that no set may match. */
function withoutSlash(from: number, to: number): string[] {
  const parts =
    from <= SLASH && SLASH <= to
      ? [
          [from, SLASH - 1],
          [SLASH + 1, to],
        ]
      : [[from, to]];
  return parts.flatMap(([low = 0, high = 0]) => (low <= high ? [`${hex(low)}-${hex(high)}`] : []));
}

function literal(character: string): string {
  return /^[A-Za-z0-9_ -]$/.test(character) ? character : hex(codePoint(character));
}

function hex(code: number): string {
  return `\\x{${code.toString(16)}}`;
}

function codePoint(character: string): number {
  // A lone surrogate cannot come from a config file; U+FFFD matches nothing but itself.
  const code = character.codePointAt(0) ?? 0xfffd;
  return code >= 0xd800 && code <= 0xdfff ? 0xfffd : code;
}
