import { droppedVerbs, strftime } from "../golang/strftime.ts";
import { expandVariables } from "../golang/expand.ts";

export interface FilenameContext {
  /** `BACKUP_FILENAME_EXPAND`. */
  readonly expand: boolean;
  /** What `$NAME` stands for. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface FilenameFindings {
  /** What is wrong; absent for a usable pattern. */
  readonly error?: string;
  readonly warnings: readonly string[];
}

/** `{{ .Extension }}` in the spellings that Go takes: blanks are free, trim markers need a blank beside them. */
const EXTENSION = /^\{\{(?:-[ \t\r\n])?[ \t\r\n]*\.Extension[ \t\r\n]*(?:[ \t\r\n]-)?\}\}/;
/** With the text around it that trim markers eat. */
const EXTENSION_TRIMMED = /([ \t\r\n]*)\{\{(-[ \t\r\n])?[ \t\r\n]*\.Extension[ \t\r\n]*([ \t\r\n]-)?\}\}([ \t\r\n]*)/g;

const LONGEST_NAME_BYTES = 255;
/** A path can't be longer; it also keeps every expression below quick. */
const LONGEST_PATTERN = 4096;
const TOO_LONG = `is longer than ${LONGEST_PATTERN} characters`;
/** Any instant shows what a pattern looks like. */
const SAMPLE_MS = Date.UTC(2026, 10, 22, 21, 30, 5);

/**
 * Whether a pattern can name an archive. In the order of the image that Lifeboat replaces: `{{ .Extension }}`, then
 * variables, then strftime verbs; the name is what follows the last slash.
 */
export function checkFilename(pattern: string, context: FilenameContext): FilenameFindings {
  if (pattern.length > LONGEST_PATTERN) return { error: TOO_LONG, warnings: [] };
  if (!hasOnlyExtensions(pattern)) {
    return { error: "only {{ .Extension }} is understood between double braces", warnings: [] };
  }
  const warnings: string[] = [];
  let text = fillExtension(pattern, "tar.gz");
  if (context.expand) {
    const unset = new Set<string>();
    text = expandVariables(text, (name) => {
      const value = Object.hasOwn(context.environment, name) ? context.environment[name] : undefined;
      if (value === undefined) unset.add(name);
      return value;
    });
    for (const name of unset) warnings.push(`$${name} is not set and becomes nothing`);
  }
  if (text.length > LONGEST_PATTERN) return { error: TOO_LONG, warnings };
  const dropped = droppedVerbs(text);
  if (dropped.length > 0)
    warnings.push(
      `${dropped.join(", ")} ${dropped.length === 1 ? "is" : "are"} not understood and ${dropped.length === 1 ? "vanishes" : "vanish"}`,
    );
  const error = nameError(text, strftime(text, SAMPLE_MS, ""));
  return error === undefined ? { warnings } : { error, warnings };
}

export interface NameSample extends FilenameContext {
  /** Without a dot in front: `tar.gz`. */
  readonly extension: string;
  readonly zone: string;
  readonly instantMs: number;
}

/** The name that a good pattern gives at some instant. */
export function sampleName(pattern: string, { expand, environment, extension, zone, instantMs }: NameSample): string {
  const filled = fillExtension(pattern, extension);
  const text = expand
    ? expandVariables(filled, (name) => (Object.hasOwn(environment, name) ? environment[name] : undefined))
    : filled;
  return baseName(strftime(text, instantMs, zone));
}

function nameError(unformatted: string, formatted: string): string | undefined {
  if (unformatted.includes("..") || formatted.includes("..")) return 'must not have ".." in it';
  if (formatted.includes("\0")) return "must not hold a NUL";
  const name = baseName(formatted);
  if (name === "") return "gives an empty name";
  if (name === ".lifeboat") return "must not be .lifeboat, the folder of the records";
  if (name.startsWith(".") && name.endsWith(".partial"))
    return "gives a name that lifeboat uses for unfinished archives";
  if (Buffer.byteLength(name) > LONGEST_NAME_BYTES) return `gives a name of over ${LONGEST_NAME_BYTES} bytes`;
  return undefined;
}

/** What is left of a path once it is cleaned: the last part that is neither empty nor `.`. */
function baseName(formatted: string): string {
  return formatted.split("/").findLast((part) => part !== "" && part !== ".") ?? "";
}

/** As Go reads it: an action begins at the first two braces, whatever follows. */
function hasOnlyExtensions(pattern: string): boolean {
  let rest = pattern;
  for (;;) {
    const start = rest.indexOf("{{");
    if (start < 0) return true;
    const [action] = EXTENSION.exec(rest.slice(start)) ?? [];
    if (action === undefined) return false;
    rest = rest.slice(start + action.length);
  }
}

function fillExtension(pattern: string, extension: string): string {
  return pattern.replaceAll(
    EXTENSION_TRIMMED,
    (_, before: string, trimLeft: string | undefined, trimRight: string | undefined, after: string) =>
      [trimLeft === undefined ? before : "", extension, trimRight === undefined ? after : ""].join(""),
  );
}
