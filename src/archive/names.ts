import type { Compression } from "../contracts/archive.ts";
import { expandVariables } from "../golang/expand.ts";
import { strftime } from "../golang/strftime.ts";
import { UserError } from "../lib/errors.ts";
import { renderNameTemplate } from "./names-template.ts";
import { baseNameTokens, tokensMatch } from "./names-tokens.ts";

/**
 * The only formatter and matcher of archive names. In the order of the image that Lifeboat replaces: `{{ .Extension }}`,
 * `$VAR` (where the job asks for it), strftime, and of the result the base name; then what encryption appends.
 */
export interface NamePattern {
  /** `BACKUP_FILENAME`. */
  readonly pattern: string;
  /** `BACKUP_FILENAME_EXPAND`. */
  readonly expand: boolean;
  lookup(name: string): string | undefined;
  /** Zone of the clock in the name, as `golang/zone.ts` knows it. */
  readonly zone: string;
  readonly compression: Compression;
  readonly encryption?: "gpg" | "age" | undefined;
}

type Expansion = Pick<NamePattern, "expand" | "lookup">;

/** Longest file name of every file system and store that we know. */
const MOST_NAME_BYTES = 255;

const EXTENSIONS: Readonly<Record<Compression, string>> = { none: "tar", gz: "tar.gz", zst: "tar.zst" };
const ENCRYPTED_SUFFIXES = ["", ".gpg", ".age"];

/**
 * The name of the archive of the run that was due at `firedAtMs` (milliseconds since the epoch).
 * @throws UserError where the pattern gives no usable name: empty, `.`, `..`, a `..` in its path, NUL, longer than 255
 * bytes, or one that Lifeboat uses itself (`.lifeboat`, `.….partial`)
 */
export function formatArchiveName(pattern: NamePattern, firedAtMs: number): string {
  const format = formatOf(pattern, EXTENSIONS[pattern.compression]);
  const path = strftime(format, firedAtMs, pattern.zone);
  const elements = path.split("/");
  const baseName = elements.at(-1) ?? "";
  const name = baseName + suffixOf(pattern);
  if (elements.includes("..")) throw unusable("leads out of its folder with `..`");
  if (baseName === "" || baseName === ".") throw unusable("gives an empty name");
  if (path.includes("\0")) throw unusable("gives a name with a NUL character");
  if (name === ".lifeboat" || (name.startsWith(".") && name.endsWith(".partial"))) {
    throw unusable("gives a name that lifeboat uses for its own files");
  }
  const bytes = Buffer.byteLength(name);
  if (bytes > MOST_NAME_BYTES)
    throw unusable(`gives a name of ${bytes} bytes, at most ${MOST_NAME_BYTES} are possible`);
  return name;
}

/**
 * Tells the names that this pattern could have given at any time, with any of our extensions, encrypted or not; verbs are
 * exact (`%m` is 01 to 12), all else is compared as it stands. A pattern without verbs has only its one name. Takes time in
 * proportion to pattern and name, whatever they hold.
 * @throws UserError for a template that is not supported
 */
export function createNameMatcher(pattern: Expansion & Pick<NamePattern, "pattern">): (name: string) => boolean {
  return matcherOf(pattern, Object.values(EXTENSIONS), ENCRYPTED_SUFFIXES);
}

/** `BACKUP_LATEST_SYMLINK` and `BACKUP_PRUNING_PREFIX`: `$VAR` where the job asks for it, and nothing else. */
export function expandName(text: string, { expand, lookup }: Expansion): string {
  return expand ? expandVariables(text, lookup) : text;
}

/** Moments that give different digits, days and months to every verb. */
const SAMPLE_INSTANTS = [
  "2026-01-01T00:00:00.000Z",
  "2026-02-03T04:05:06.007Z",
  "2026-09-09T09:09:09.090Z",
  "2026-10-11T12:13:14.150Z",
  "2026-12-31T23:59:59.999Z",
  "2027-03-20T10:10:10.010Z",
  "2028-02-29T02:12:22.222Z",
  "2030-11-22T21:45:30.500Z",
].map((text) => Date.parse(text));

/** Whether two jobs that share a folder could give the same name, at the same or at different times. */
export function couldCollide(a: NamePattern, b: NamePattern): boolean {
  const matches = (matcher: NamePattern, other: NamePattern): boolean => {
    const isName = matcherOf(matcher, [EXTENSIONS[matcher.compression]], [suffixOf(matcher)]);
    return SAMPLE_INSTANTS.some((instant) => isName(formatArchiveName(other, instant)));
  };
  return matches(a, b) || matches(b, a);
}

/** The strftime format: extension and variables filled in, and cleaned as a path, so that `x/` and `x/.` are `x`. */
function formatOf(pattern: Expansion & Pick<NamePattern, "pattern">, extension: string): string {
  const elements = expandName(renderNameTemplate(pattern.pattern, extension), pattern).split("/");
  return elements.filter((element) => element !== "" && element !== ".").join("/");
}

function matcherOf(
  pattern: Expansion & Pick<NamePattern, "pattern">,
  extensions: readonly string[],
  suffixes: readonly string[],
): (name: string) => boolean {
  const formats = new Set(extensions.map((extension) => formatOf(pattern, extension)));
  const tokenLists = [...formats].map(baseNameTokens);
  return (name) =>
    suffixes.some((suffix) => {
      if (!name.endsWith(suffix)) return false;
      const plain = name.slice(0, name.length - suffix.length);
      return plain !== "" && tokenLists.some((tokens) => tokensMatch(tokens, plain));
    });
}

function suffixOf({ encryption }: Pick<NamePattern, "encryption">): string {
  return encryption === undefined ? "" : `.${encryption}`;
}

function unusable(what: string): UserError {
  return new UserError(`BACKUP_FILENAME ${what}`, {
    hint: "write a plain file name such as backup-%Y-%m-%dT%H-%M-%S.{{ .Extension }}",
  });
}
