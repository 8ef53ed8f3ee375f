import { lstatSync, realpathSync } from "node:fs";
import path from "node:path";
import { printablePath } from "../../lib/printable.ts";
import { asFsPath } from "./byte-strings.ts";
import { closeRead, openParentOfSource } from "./folder-chain.ts";
import type { OwnPaths } from "./own-paths.ts";
import type { SourceTally, Tally } from "./tally.ts";
import type { OpenedFolder, Visit } from "./visit.ts";
import { causeOf, isSystemError } from "./visit.ts";

export interface SourceTools {
  readonly visit: Visit;
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
  const { visit, ownPaths, tally } = tools;
  const own = sources.at(-1);
  let parentFd: number | undefined;
  try {
    const real = realpathSync.native(asFsPath(source), { encoding: "latin1" });
    ownPaths.addRoot(source, real);
    const isLink = lstatSync(asFsPath(source)).isSymbolicLink();
    const place = isLink ? real : source;
    if (isLink) tally.notice("link-followed", source, `a link: its target ${shown(real)} was archived`);
    if (own !== undefined && ownPaths.has(source, lstatSync(asFsPath(place), { bigint: true }))) {
      own.error = "it is where the backup itself writes";
    }
    parentFd = openParentOfSource(path.posix.dirname(place));
    return visit({ parentFd, parentDev: undefined, name: path.posix.basename(place) || ".", path: source, sources });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (own !== undefined) own.error = causeOf(error);
    return undefined;
  } finally {
    if (parentFd !== undefined) closeRead(parentFd);
  }
}

function shown(bytes: string): string {
  return printablePath(Buffer.from(bytes, "latin1"));
}
