import { compileRe2 } from "../../golang/re2.ts";
import { isAscii } from "./byte-strings.ts";
import { translateGlobs } from "./globs.ts";

/** What the user wants left out; paths are full paths as byte strings, folders without a slash at the end. */
export interface Excludes {
  /** The entry itself is dropped; what lies below a folder is still visited. */
  dropsEntry(path: string): boolean;
  /** The entry is dropped and, if it is a folder, not entered. */
  prunes(path: string, isFolder: boolean): boolean;
}

type Matches = (path: string) => boolean;

const NEVER: Matches = () => false;

/** Throws where `regexp` is not RE2. Both kinds are matched in linear time and over bytes. */
export function createExcludes(regexp: string | undefined, globs: readonly string[]): Excludes {
  const dropsEntry = matcher(regexp);
  const { anything, foldersOnly } = translateGlobs(globs);
  const matchesAnything = matcher(anything);
  const matchesFolders = matcher(foldersOnly);
  return {
    dropsEntry,
    prunes: (path, isFolder) => matchesAnything(path) || (isFolder && matchesFolders(path)),
  };
}

/** An empty expression is no expression, as in the image that this program replaces. */
function matcher(expression: string | undefined): Matches {
  if (expression === undefined || expression === "") return NEVER;
  const compiled = compileRe2(expression);
  return (path) => compiled.test(isAscii(path) ? path : Buffer.from(path, "latin1"));
}
