import { lstatSync } from "node:fs";
import { asFsPath } from "./byte-strings.ts";
import { below } from "./file-calls-node.ts";
import { createFolderChain } from "./folder-chain.ts";
import { type NameStack, createNameStack } from "./name-stack.ts";
import { causeOf, kindOf } from "./failures.ts";
import type { SourcePlan } from "./sources.ts";
import type { SourceTally } from "./tally.ts";
import type { SourceTools } from "./visit-source.ts";
import { visitSource } from "./visit-source.ts";
import type { OpenedFolder, Place } from "./visit.ts";

/** A folder on the way from the source to the current entry. */
interface Level {
  readonly path: string;
  /** In front of a name: `/backup/`. */
  readonly prefix: string;
  readonly device: number;
  readonly sources: readonly SourceTally[];
}

/**
 * Walks all sources, folder by folder, names in byte order. Memory: the packed names of the folders on the current path.
 */
export function walkSources(plan: SourcePlan, tools: SourceTools): void {
  const inner = new Set(plan.inner);
  const names = createNameStack();
  for (const root of plan.roots) {
    const tally = plan.tallyOf(root);
    const folder = visitSource(root, tally === undefined ? [] : [tally], tools);
    if (folder !== undefined) walkFolder(folder, plan, inner, names, tools);
  }
  // Those that no walk met: gone, or in a folder that is excluded or can't be read.
  for (const missed of inner) {
    const tally = plan.tallyOf(missed);
    if (tally !== undefined) tally.error = whyMissing(missed);
  }
}

function walkFolder(
  root: OpenedFolder,
  plan: SourcePlan,
  inner: Set<string>,
  names: NameStack,
  tools: SourceTools,
): void {
  const chain = createFolderChain(tools.calls);
  const levels: Level[] = [];

  const enter = (folder: OpenedFolder): void => {
    const { path, sources } = folder;
    levels.push({ path, prefix: path === "/" ? "/" : `${path}/`, device: folder.stat.device, sources });
    chain.push(folder.name, folder.fd, folder.stat);
    names.push();
    try {
      tools.calls.list(folder.fd, names);
      names.sort();
    } catch (error) {
      names.pop();
      names.push();
      tools.tally.notice(kindOf(error), folder.path, `${causeOf(error)}: its content was left out`);
      const source = folder.sources.at(-1);
      if (source !== undefined && plan.tallyOf(folder.path) === source) source.error = causeOf(error);
    }
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
      const name = names.next();
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
        names.pop();
        chain.pop();
        continue;
      }
      const { prefix, device: parentDevice, sources } = level;
      const folder = visit({ parentFd, parentDevice, listedAs: names.listedAs, name, path: prefix + name, sources });
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
