import { lstatSync, realpathSync } from "node:fs";
import path from "node:path";
import { printablePath } from "../../lib/printable.ts";
import { asFsPath } from "./byte-strings.ts";
import type { FileCalls } from "./file-calls.ts";
import { FileStat } from "./file-stat.ts";
import { causeOf, isSystemError } from "./failures.ts";
import { LISTED } from "./name-stack.ts";
import type { OwnPaths } from "./own-paths.ts";
import type { SourceTally, Tally } from "./tally.ts";
import type { OpenedFolder, Visit } from "./visit.ts";

export interface SourceTools {
  readonly visit: Visit;
  readonly calls: FileCalls;
  readonly ownPaths: OwnPaths;
  readonly tally: Tally;
}

/**
 * Stores a source itself; a link is followed, with a notice. Gives the folder back that is to be walked. Where there is
 * nothing to read, the source's tally says why. `sources`: the source's own tally last.
 */
export function visitSource(
  source: string,
  sources: readonly SourceTally[],
  tools: SourceTools,
): OpenedFolder | undefined {
  const { visit, calls, ownPaths, tally } = tools;
  const own = sources.at(-1);
  let parentFd: number | undefined;
  try {
    const real = realpathSync.native(asFsPath(source), { encoding: "latin1" });
    ownPaths.addRoot(source, real);
    const isLink = lstatSync(asFsPath(source)).isSymbolicLink();
    const place = isLink ? real : source;
    if (isLink) tally.notice("link-followed", source, `a link: its target ${shown(real)} was archived`);
    const stat = new FileStat();
    stat.fill(lstatSync(asFsPath(place), { bigint: true }));
    if (own !== undefined && ownPaths.has(source, stat)) {
      own.error = "it is where the backup itself writes";
    }
    parentFd = calls.openFolderByPath(path.posix.dirname(place));
    const name = path.posix.basename(place) || ".";
    return visit({ parentFd, parentDevice: undefined, listedAs: LISTED.unknown, name, path: source, sources });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (own !== undefined) own.error = causeOf(error);
    return undefined;
  } finally {
    if (parentFd !== undefined) calls.close(parentFd);
  }
}

function shown(bytes: string): string {
  return printablePath(Buffer.from(bytes, "latin1"));
}
