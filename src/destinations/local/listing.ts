import type { Stats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import type { Area, StoredObject } from "../../contracts/destination.ts";
import { DestinationError, systemCode } from "../../lib/errors.ts";
import { toLocalError } from "./errors.ts";
import { openChild, openFolder, type OpenFolder } from "./folder.ts";
import { decodeName, DEEPEST_RECORD_LEVELS, isListed, RECORD_FOLDER } from "../names.ts";

/**
 * Regular files only, links never followed: the archive folder's direct children, or everything below `.lifeboat/`.
 * A folder that does not exist lists nothing.
 */
export async function* listFolder(
  folder: string,
  area: Area,
  signal: AbortSignal,
): AsyncGenerator<StoredObject, void, void> {
  try {
    const root = await openListed(folder, area);
    if (root !== undefined) yield* listOpen(root, area, "", 1, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    throw toLocalError(error, `cannot list ${folder}`);
  }
}

async function openListed(folder: string, area: Area): Promise<OpenFolder | undefined> {
  try {
    const root = await openFolder(folder);
    if (area === "archive") return root;
    try {
      return await openChild(root, RECORD_FOLDER, false);
    } finally {
      await root.close();
    }
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Takes over `folder`. */
async function* listOpen(
  folder: OpenFolder,
  area: Area,
  prefix: string,
  level: number,
  signal: AbortSignal,
): AsyncGenerator<StoredObject, void, void> {
  try {
    for (const bytes of await readdir(folder.at("."), { encoding: "buffer" })) {
      signal.throwIfAborted();
      const name = decodeName(bytes);
      if (name === undefined) continue;
      const stat = await statOf(folder.at(name));
      if (stat === undefined) continue;
      if (stat.isFile()) {
        if (isListed(area, name)) yield { name: prefix + name, sizeBytes: stat.size, storedAt: stat.mtimeMs };
      } else if (area === "record" && stat.isDirectory() && level < DEEPEST_RECORD_LEVELS) {
        const child = await openIfFolder(folder, name);
        if (child !== undefined) yield* listOpen(child, area, `${prefix}${name}/`, level + 1, signal);
      }
    }
  } finally {
    await folder.close();
  }
}

/** Undefined for what vanished between the listing and the look at it. */
async function statOf(target: string): Promise<Stats | undefined> {
  try {
    return await lstat(target);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function openIfFolder(parent: OpenFolder, name: string): Promise<OpenFolder | undefined> {
  try {
    return await openChild(parent, name, false);
  } catch (error) {
    // Vanished, or swapped for a link since the look at it: then it is not ours to list.
    if (systemCode(error) === "ENOENT" || error instanceof DestinationError) return undefined;
    throw error;
  }
}
