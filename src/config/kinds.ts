import type { Kind, Kinds, Setting } from "../contracts/setting.ts";
import { parseBool } from "../golang/bool.ts";
import { parseDuration } from "../golang/duration.ts";
import { parseInt32 } from "../golang/integer.ts";
import { UserError } from "../lib/errors.ts";

type Readers = { readonly [K in Kind]: (text: string, setting: Setting<K>) => Kinds[K] };

const NANOSECONDS_PER_MS = 1_000_000;

/**
 * What each kind makes of its raw text. Cheap, without libraries: what needs one (cron, regular expressions, zones,
 * certificates) is taken as text here and proven once, when it is loaded, by `deep-checks.ts`.
 */
const READERS: Readers = {
  text: (text) => text,
  boolean: (text) => parseBool(text) ?? refuse("must be true or false"),
  duration: readDuration,
  whole: (text) => parseInt32(text) ?? refuse("must be a whole number (32 bits)"),
  natural: readNatural,
  bytes: readBytes,
  choice: readChoice,
  list: readList,
  paths: readPaths,
  path: readPath,
  cron: (text) => text,
  zone: readZone,
  regexp: (text) => text,
  globs: readGlobs,
  filename: (text) => text,
  pem: (text) => text,
  url: readUrl,
  urls: readList,
};

/**
 * Reads a raw text as the setting's kind says, and applies the setting's own check.
 * @throws UserError that says what is allowed, without the value
 */
export function readValue<K extends Kind>(setting: Setting<K>, text: string): Kinds[K] {
  const read: Readers[K] = READERS[setting.kind];
  const value = read(text, setting);
  // An empty text only comes here where it is the value itself ("no local destination").
  const wrong = text === "" ? undefined : setting.check?.(value);
  if (wrong !== undefined) throw new UserError(wrong);
  return value;
}

function refuse(message: string): never {
  throw new UserError(message);
}

/** A duration without a unit is the usual mistake; Go's own wording follows for the others. */
function readDuration(text: string): number {
  try {
    return Number(parseDuration(text)) / NANOSECONDS_PER_MS;
  } catch (error) {
    throw new UserError("must be a duration with units, such as 30s, 10m or 1h30m", { cause: error });
  }
}

function readNatural(text: string): number {
  const value = parseInt32(text);
  return value === undefined || value < 0 ? refuse("must be a whole number of 0 or more (32 bits)") : value;
}

const UNIT_BYTES: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  t: 1e12,
  tb: 1e12,
  p: 1e15,
  pb: 1e15,
  ki: 2 ** 10,
  kib: 2 ** 10,
  mi: 2 ** 20,
  mib: 2 ** 20,
  gi: 2 ** 30,
  gib: 2 ** 30,
  ti: 2 ** 40,
  tib: 2 ** 40,
  pi: 2 ** 50,
  pib: 2 ** 50,
};

function readBytes(text: string): number {
  const [, digits = "", unit = ""] = /^([0-9]{1,16}(?:\.[0-9]{1,9})?) ?([a-z]{0,3})$/i.exec(text) ?? [];
  const factor = Object.hasOwn(UNIT_BYTES, unit.toLowerCase()) ? UNIT_BYTES[unit.toLowerCase()] : undefined;
  const bytes = digits === "" || factor === undefined ? Number.NaN : Math.round(Number(digits) * factor);
  return Number.isSafeInteger(bytes) ? bytes : refuse("must be a size such as 500MB, 2GiB or plain bytes");
}

function readChoice(text: string, { allowed = [] }: Setting<"choice">): string {
  return allowed.includes(text) ? text : refuse(`must be one of ${allowed.join(", ")}, written exactly so`);
}

function readList(text: string): readonly string[] {
  return text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

function readPath(text: string): string {
  if (text !== "" && !text.startsWith("/")) refuse("must be an absolute path (beginning with /)");
  return text.includes("\0") ? refuse("must not hold a NUL") : text;
}

function readPaths(text: string): readonly string[] {
  const paths = readList(text).map(readPath);
  return paths.length > 0 ? paths : refuse("must name at least one absolute path");
}

/** Go takes `:Europe/Berlin` and a path below the zone folder for `Europe/Berlin`, and so do we. */
function readZone(text: string): string {
  return text.replace(/^:/, "").replace(/^\/usr\/share\/zoneinfo\//, "");
}

function readGlobs(text: string): readonly string[] {
  const globs = readList(text);
  if (!globs.every((glob) => /^[/*?[{]/.test(glob)))
    refuse("every glob is over the full path, so it must begin with / or *");
  return globs;
}

function readUrl(text: string): string {
  // WHATWG's parser takes "https:host" and blanks; a person who writes such things made a mistake.
  const wellFormed = /^https?:\/\/[^\s/?#]/i.test(text) && !/\s/.test(text) && URL.canParse(text);
  return wellFormed ? text : refuse("must be an http or https URL");
}
