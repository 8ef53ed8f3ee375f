import { constants } from "node:fs";
import { type FileHandle, lstat, open, rename, unlink } from "node:fs/promises";
import * as path from "node:path";
import { DestinationError, systemCode } from "../../lib/errors.ts";
import { printablePath } from "../../lib/printable.ts";
import { isSyncUnsupported, type OpenFolder } from "./folder.ts";
import { type Owner, partialName } from "../partial-name.ts";
import { isReplaceable } from "./replaceable.ts";

/** How often a live writer touches its file, so that another container can tell it from a dead one. */
export const TOUCH_EVERY_MS = 2_000;

/** A file in the making, under a hidden name in its final folder. */
export interface PartialFile {
  readonly handle: FileHandle;
  /** As the user knows it. */
  readonly path: string;
  /** Makes the bytes durable, then visible under the final name, replacing a regular file of that name. May be repeated after a failure. */
  publish(): Promise<{ readonly sizeBytes: number; readonly storedAt: number }>;
  /** Closes it, and removes it unless it was published. Once is enough, twice does no harm. */
  discard(): Promise<void>;
}

/** Which files of the final name give way: in our own record folder any, among the user's archives only archives. */
export type Replaces = "anything" | "archives";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;

/** Takes over `folder`: it is closed with the file. System errors are passed on untranslated. */
export async function createPartial(
  folder: OpenFolder,
  name: string,
  owner: Owner,
  replaces: Replaces = "anything",
): Promise<PartialFile> {
  const hidden = partialName(name, owner);
  let handle: FileHandle;
  try {
    await refuseForeign(folder, name, replaces);
    handle = await open(folder.at(hidden), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  } catch (error) {
    await folder.close();
    throw error;
  }
  const touch = setInterval(() => {
    const now = new Date();
    // Only a sign of life: a file system that cannot set times does no harm.
    handle.utimes(now, now).catch(() => undefined);
  }, TOUCH_EVERY_MS);
  touch.unref();

  let state: "open" | "published" | "closed" = "open";
  const close = async (): Promise<void> => {
    clearInterval(touch);
    await Promise.allSettled([handle.close(), folder.close()]);
  };
  return {
    handle,
    path: path.join(folder.shown, hidden),
    async publish() {
      if (state === "closed") throw new Error("this file was already closed");
      if (state === "open") {
        await syncFile(handle);
        await refuseForeign(folder, name, replaces);
        await requireSameFile(handle, folder, hidden);
        await rename(folder.at(hidden), folder.at(name));
        state = "published";
        clearInterval(touch);
      }
      await folder.sync();
      const { size, mtimeMs } = await handle.stat();
      return { sizeBytes: size, storedAt: mtimeMs };
    },
    async discard() {
      if (state === "closed") return;
      const published = state === "published";
      state = "closed";
      try {
        // Only what is still the file that this run created is removed.
        if (!published && (await isSameFile(handle, folder, hidden))) await unlink(folder.at(hidden));
      } catch (error) {
        if (systemCode(error) !== "ENOENT") throw error;
      } finally {
        await close();
      }
    },
  };
}

/** A file of the final name may be replaced; a folder, a link or anything else is somebody's, and stays. */
async function refuseForeign(folder: OpenFolder, name: string, replaces: Replaces): Promise<void> {
  const kind = await kindAt(folder.at(name));
  if (kind === undefined) return;
  if (kind === "file") {
    if (replaces === "anything" || (await isReplaceable(folder.at(name), name))) return;
    throw new DestinationError(
      "invalid",
      `${printablePath(path.join(folder.shown, name))} exists and is not an archive, so it is not replaced`,
      {
        hint: "remove or rename it, or change BACKUP_FILENAME",
      },
    );
  }
  throw new DestinationError("invalid", `${printablePath(path.join(folder.shown, name))} is a ${kind}, not a file`, {
    hint: "remove or rename it, or change BACKUP_FILENAME",
  });
}

/** What stands at `target`, links not followed; undefined for nothing. */
export async function kindAt(target: string): Promise<string | undefined> {
  try {
    const stat = await lstat(target);
    if (stat.isFile()) return "file";
    if (stat.isDirectory()) return "folder";
    return stat.isSymbolicLink() ? "symbolic link" : "device, FIFO or socket";
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function isSameFile(handle: FileHandle, folder: OpenFolder, hidden: string): Promise<boolean> {
  const ours = await handle.stat({ bigint: true });
  const there = await lstat(folder.at(hidden), { bigint: true });
  return ours.ino === there.ino && ours.dev === there.dev;
}

async function requireSameFile(handle: FileHandle, folder: OpenFolder, hidden: string): Promise<void> {
  let same = false;
  try {
    same = await isSameFile(handle, folder, hidden);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
  if (same) return;
  throw new DestinationError(
    "unavailable",
    `the unfinished file in ${folder.shown} was removed or replaced by another program`,
    {
      hint: "let nothing else clean up hidden files in this folder",
    },
  );
}

async function syncFile(handle: FileHandle): Promise<void> {
  try {
    await handle.sync();
  } catch (error) {
    if (!isSyncUnsupported(error)) throw error;
  }
}
