import type { Area } from "../contracts/destination.ts";
import { DestinationError } from "../lib/errors.ts";
import { printablePath } from "../lib/printable.ts";

/** Records and indexes lie below this folder, beside the archives. */
export const RECORD_FOLDER = ".lifeboat";

/** What unfinished files end in; no finished one may. */
export const PARTIAL_SUFFIX = ".partial";

/** Linux file systems: bytes of one path component. */
export const LONGEST_NAME_BYTES = 255;

/** Deepest path below `.lifeboat/` that is read or written. */
export const DEEPEST_RECORD_LEVELS = 8;

/** An archive with a hidden name is a backup too; editors' and tools' hidden files are not. */
export const ARCHIVE_ENDING = /\.tar(?:\.(?:gz|zst))?(?:\.(?:gpg|age))?$/;

/**
 * The path components of an object's name; throws `invalid` for every name that is not plainly below the folder, so
 * that no later step has to think about it again.
 */
export function componentsOf(area: Area, name: string): readonly string[] {
  if (area === "archive") {
    if (name.includes("..")) throw invalidName(name, "it contains `..`");
    if (name === RECORD_FOLDER) throw invalidName(name, "Lifeboat keeps its records under this name");
    checkComponent(name, name);
    return [name];
  }
  const components = name.split("/");
  if (components.length > DEEPEST_RECORD_LEVELS) throw invalidName(name, "it has too many levels");
  for (const component of components) checkComponent(component, name);
  return components;
}

function checkComponent(component: string, name: string): void {
  if (component === "") throw invalidName(name, "it is empty");
  if (component === "." || component === "..") throw invalidName(name, `\`${component}\` is not a name`);
  if (component.includes("/")) throw invalidName(name, "it contains a slash");
  if (component.includes("\0")) throw invalidName(name, "it contains a NUL");
  if (!component.isWellFormed()) throw invalidName(name, "it is not valid Unicode");
  if (component.endsWith(PARTIAL_SUFFIX))
    throw invalidName(name, `names that end in \`${PARTIAL_SUFFIX}\` are unfinished files`);
  if (Buffer.byteLength(component) > LONGEST_NAME_BYTES)
    throw invalidName(name, `it is longer than ${LONGEST_NAME_BYTES} bytes`);
}

function invalidName(name: string, why: string): DestinationError {
  const shown = printablePath(name.length > 100 ? `${name.slice(0, 100)}…` : name);
  return new DestinationError("invalid", `"${shown}" cannot be used as a name: ${why}`, {
    hint: "change BACKUP_FILENAME",
  });
}

/** The text of a folder entry's name, or undefined where its bytes are not UTF-8 (no name of ours ever is that). */
export function decodeName(bytes: Buffer): string | undefined {
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? text : undefined;
}

/** Whether a regular file of this name is listed as finished. */
export function isListed(area: Area, component: string): boolean {
  if (component.endsWith(PARTIAL_SUFFIX)) return false;
  return area === "record" || !component.startsWith(".") || ARCHIVE_ENDING.test(component);
}
