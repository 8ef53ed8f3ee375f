import { lstatSync, readdirSync } from "node:fs";
import { asFsPath } from "./byte-strings.ts";
import { below, createFolderChain } from "./folder-chain.ts";
import type { SourcePlan } from "./sources.ts";
import type { SourceTally } from "./tally.ts";
import type { SourceTools } from "./visit-source.ts";
import { visitSource } from "./visit-source.ts";
import type { OpenedFolder, Place } from "./visit.ts";
import { causeOf } from "./visit.ts";

/** A folder on the way from the source to the current entry. */
interface Level {
  readonly path: string;
  readonly dev: bigint;
  readonly names: readonly string[];
  readonly sources: readonly SourceTally[];
  next: number;
}

/** Walks all sources, folder by folder, names in byte order. Memory: the names of the folders on the current path. */
export function walkSources(plan: SourcePlan, tools: SourceTools): void {
  const inner = new Set(plan.inner);
  for (const root of plan.roots) {
    const tally = plan.tallyOf(root);
    const folder = visitSource(root, tally === undefined ? [] : [tally], tools);
    if (folder !== undefined) walkFolder(folder, plan, inner, tools);
  }
  // Those that no walk met: gone, or in a folder that is excluded or can't be read.
  for (const missed of inner) {
    const tally = plan.tallyOf(missed);
    if (tally !== undefined) tally.error = whyMissing(missed);
  }
}

function walkFolder(root: OpenedFolder, plan: SourcePlan, inner: Set<string>, tools: SourceTools): void {
  const chain = createFolderChain();
  const levels: Level[] = [];

  const enter = (folder: OpenedFolder): void => {
    chain.push(folder.name, folder.fd, folder.stat);
    let names: string[] = [];
    try {
      names = readdirSync(below(folder.fd, "."), { encoding: "latin1" });
    } catch (error) {
      tools.tally.notice("unreadable", folder.path, `${causeOf(error)}: its content was left out`);
      const source = folder.sources.at(-1);
      if (source !== undefined && plan.tallyOf(folder.path) === source) source.error = causeOf(error);
    }
    const { path, sources } = folder;
    levels.push({ path, dev: folder.stat.dev, names: inByteOrder(names), sources, next: 0 });
  };

  const visit = (place: Place): OpenedFolder | undefined => {
    const tally = inner.size > 0 && inner.delete(place.path) ? plan.tallyOf(place.path) : undefined;
    if (tally === undefined) return tools.visit(place);
    const sources = [...place.sources, tally];
    return isLink(place) ? visitSource(place.path, sources, tools) : tools.visit({ ...place, sources });
  };

  try {
    enter(root);
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const name = level.names[level.next];
      const parentFd = name === undefined ? undefined : chain.current();
      if (name === undefined || parentFd === undefined) {
        if (name !== undefined) {
          tools.tally.notice(
            "vanished",
            level.path,
            "moved away while its content was being read: the rest was left out",
          );
        }
        levels.pop();
        chain.pop();
        continue;
      }
      level.next += 1;
      const path = level.path === "/" ? `/${name}` : `${level.path}/${name}`;
      const folder = visit({ parentFd, parentDev: level.dev, name, path, sources: level.sources });
      if (folder !== undefined) enter(folder);
    }
  } finally {
    chain.closeAll();
  }
}

function isLink(place: Place): boolean {
  return lstatSync(below(place.parentFd, place.name), { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

function whyMissing(source: string): string {
  try {
    lstatSync(asFsPath(source));
    return "it lies in a folder that was left out";
  } catch (error) {
    return causeOf(error);
  }
}

/** Most listings arrive sorted already; then no copy is made. */
function inByteOrder(names: string[]): string[] {
  for (let at = 1; at < names.length; at += 1) {
    if ((names[at - 1] ?? "") > (names[at] ?? "")) return names.sort();
  }
  return names;
}
