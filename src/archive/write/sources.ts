import { lstatSync } from "node:fs";
import path from "node:path";
import { asFsPath, byteString } from "./byte-strings.ts";
import type { SourceTally } from "./tally.ts";
import { createSourceTally } from "./tally.ts";

/**
 * What is walked. A source that lies in another one is archived once, where the outer walk meets it, and counted for
 * both. Sources are walked in the order of their paths, component by component, so that the whole archive is sorted.
 */
export interface SourcePlan {
  /** In the order of the user, one for each that was given. */
  readonly given: readonly { readonly text: string; readonly tally: SourceTally }[];
  /** Byte strings, normalised and sorted; none lies in another. */
  readonly roots: readonly string[];
  /** Sources that the walk of a root meets; byte strings. */
  readonly inner: readonly string[];
  tallyOf(source: string): SourceTally | undefined;
}

export function planSources(sources: readonly string[]): SourcePlan {
  const tallies = new Map<string, SourceTally>();
  const given = sources.map((text) => {
    if (!path.posix.isAbsolute(text) || text.includes("\0")) {
      const tally = createSourceTally();
      tally.error = "not an absolute path";
      return { text, tally };
    }
    const normal = byteString(normalise(text));
    const tally = tallies.get(normal) ?? createSourceTally();
    tallies.set(normal, tally);
    return { text, tally };
  });
  const sorted = [...tallies.keys()].sort(byComponents);
  const inner = sorted.filter((source) => sorted.some((outer) => liesWithin(source, outer)));
  return {
    given,
    inner,
    roots: sorted.filter((source) => !inner.includes(source)),
    tallyOf: (source) => tallies.get(source),
  };
}

/** `/backup/` -> `/backup`, `/a/../b` -> `/b`. */
function normalise(text: string): string {
  const normal = path.posix.normalize(text).replace(/\/+$/, "");
  return normal === "" ? "/" : normal;
}

/** `a/b` comes before `a-b`, as in the walk. */
function byComponents(left: string, right: string): number {
  const [a, b] = [left.replaceAll("/", "\0"), right.replaceAll("/", "\0")];
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether the walk of `outer` comes to `source`: below it, and not behind a link, which no walk follows. */
function liesWithin(source: string, outer: string): boolean {
  const prefix = outer === "/" ? "/" : `${outer}/`;
  if (source === outer || !source.startsWith(prefix)) return false;
  let at = source.indexOf("/", prefix.length);
  while (at !== -1) {
    if (!isFolder(source.slice(0, at))) return false;
    at = source.indexOf("/", at + 1);
  }
  return true;
}

function isFolder(bytes: string): boolean {
  try {
    return lstatSync(asFsPath(bytes)).isDirectory();
  } catch {
    // Missing or not accessible: the source is then tried on its own, which says why it can't be read.
    return false;
  }
}
