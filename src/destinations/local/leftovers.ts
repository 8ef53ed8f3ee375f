import { constants } from "node:fs";
import { lstat, open, readdir, unlink } from "node:fs/promises";
import { DestinationError, systemCode } from "../../lib/errors.ts";
import { sleep } from "../../lib/clock.ts";
import { toLocalError } from "./errors.ts";
import { openChild, openFolder, type OpenFolder } from "./folder.ts";
import { decodeName, DEEPEST_RECORD_LEVELS, RECORD_FOLDER } from "../names.ts";
import { TOUCH_EVERY_MS } from "./partial.ts";
import { type Owner, ownerHash, parsePartialName, writerState } from "../partial-name.ts";

/** What no living run of this job left may belong to another sidecar that shares the folder: it gets this long. */
const FOREIGN_LEFTOVER_MS = 7 * 24 * 3600 * 1000;
/** A live writer touches its file every two seconds; one that did not for this long is not live. */
const SURELY_STILL_MS = 30_000;

export interface LeftoverOptions {
  /** For tests: milliseconds since the epoch. */
  readonly now?: number;
  /** For tests: how long a freshly touched file of an unknown writer is watched. */
  readonly watchMs?: number;
}

/**
 * Removes unfinished files of dead runs, in the folder and below `.lifeboat/`: those of `owner` at once, others after
 * seven days, a living writer's never. Returns how many went. Nothing but Lifeboat's own marked names is touched.
 */
export async function removeLeftoversIn(
  folder: string,
  owner: Owner | "anyone",
  signal: AbortSignal,
  options: LeftoverOptions = {},
): Promise<number> {
  const rules = {
    owner: owner === "anyone" ? undefined : ownerHash(owner),
    now: options.now ?? Date.now(),
    watchMs: options.watchMs ?? 2.5 * TOUCH_EVERY_MS,
  };
  try {
    const root = await openFolder(folder);
    try {
      const here = await cleanFolder(root, rules, signal);
      const records = await openIfThere(root, RECORD_FOLDER);
      if (records === undefined) return here;
      return here + (await cleanTree(records, rules, 1, signal));
    } finally {
      await root.close();
    }
  } catch (error) {
    if (systemCode(error) === "ENOENT") return 0;
    if (signal.aborted) throw error;
    throw toLocalError(error, `cannot remove leftovers in ${folder}`);
  }
}

interface Rules {
  /** Undefined: in a private folder every unfinished file is our own. */
  readonly owner: string | undefined;
  readonly now: number;
  readonly watchMs: number;
}

/** Takes over `folder`. */
async function cleanTree(folder: OpenFolder, rules: Rules, level: number, signal: AbortSignal): Promise<number> {
  try {
    let removed = await cleanFolder(folder, rules, signal);
    if (level >= DEEPEST_RECORD_LEVELS) return removed;
    for (const bytes of await readdir(folder.at("."), { encoding: "buffer", withFileTypes: true })) {
      const name = decodeName(bytes.name);
      const child = name === undefined || bytes.isFile() ? undefined : await openIfThere(folder, name);
      if (child !== undefined) removed += await cleanTree(child, rules, level + 1, signal);
    }
    return removed;
  } finally {
    await folder.close();
  }
}

async function cleanFolder(folder: OpenFolder, rules: Rules, signal: AbortSignal): Promise<number> {
  let removed = 0;
  const watched: { name: string; sign: string }[] = [];
  for (const bytes of await readdir(folder.at("."), { encoding: "buffer" })) {
    signal.throwIfAborted();
    const name = decodeName(bytes);
    if (name === undefined) continue;
    const verdict = await judge(folder, name, rules);
    if (verdict === "remove") removed += await removeOne(folder, name);
    if (verdict === "watch") watched.push({ name, sign: await signOfLife(folder, name) });
  }
  if (watched.length === 0) return removed;
  await sleep(rules.watchMs, signal);
  for (const { name, sign } of watched) {
    if ((await signOfLife(folder, name)) === sign) removed += await removeOne(folder, name);
  }
  return removed;
}

async function judge(folder: OpenFolder, name: string, rules: Rules): Promise<"keep" | "remove" | "watch"> {
  const mark = parsePartialName(name);
  if (mark === undefined) return "keep";
  const writer = writerState(mark);
  if (writer === "alive") return "keep";
  const stat = await lstat(folder.at(name)).catch(() => undefined);
  // A link is left where replacing the latest-link was cut short.
  if (stat === undefined || !(stat.isFile() || stat.isSymbolicLink())) return "keep";
  const ageMs = rules.now - stat.mtimeMs;
  if (rules.owner !== undefined && mark.owner !== rules.owner) return ageMs > FOREIGN_LEFTOVER_MS ? "remove" : "keep";
  // Two containers may bear one host name: only a file that stands still belongs to a dead one.
  return writer === "dead" || ageMs > SURELY_STILL_MS || stat.isSymbolicLink() ? "remove" : "watch";
}

/** Changes while a writer lives. Opened, because network file systems refresh what they know of a file then. */
async function signOfLife(folder: OpenFolder, name: string): Promise<string> {
  try {
    const handle = await open(folder.at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = await handle.stat({ bigint: true });
      return `${stat.ino} ${stat.size} ${stat.mtimeNs}`;
    } finally {
      await handle.close();
    }
  } catch (error) {
    return systemCode(error) ?? "gone";
  }
}

async function removeOne(folder: OpenFolder, name: string): Promise<number> {
  try {
    await unlink(folder.at(name));
    return 1;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return 0;
    throw error;
  }
}

async function openIfThere(parent: OpenFolder, name: string): Promise<OpenFolder | undefined> {
  try {
    return await openChild(parent, name, false);
  } catch (error) {
    if (systemCode(error) === "ENOENT" || error instanceof DestinationError) return undefined;
    throw error;
  }
}
