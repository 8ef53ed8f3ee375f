import { constants, existsSync } from "node:fs";
import { type FileHandle, lstat, mkdir, open } from "node:fs/promises";
import * as path from "node:path";
import { DestinationError, systemCode } from "../../lib/errors.ts";

/**
 * An open folder. Paths from `at` lead through the open descriptor, so that nobody can swap a parent for a symbolic
 * link between two calls.
 */
export interface OpenFolder {
  /** As the user knows it. */
  readonly shown: string;
  /** For system calls on a direct child, while the folder is open. */
  at(component: string): string;
  /** Makes renames and removals in it durable. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;

/** The folder that the user named; a symbolic link there is the user's own and is followed. */
export async function openFolder(folder: string): Promise<OpenFolder> {
  return wrap(await open(folder, O_RDONLY | O_DIRECTORY), folder);
}

/** A child folder that is really one: `invalid` for a symbolic link. `create` makes it, private. */
export async function openChild(parent: OpenFolder, component: string, create: boolean): Promise<OpenFolder> {
  const target = parent.at(component);
  if (create) {
    await mkdir(target, { mode: 0o700 }).catch((error: unknown) => {
      if (systemCode(error) !== "EEXIST") throw error;
    });
  }
  const shown = path.join(parent.shown, component);
  try {
    // Where descriptors have no path of their own, the check and the open are two steps.
    if (!descriptorsHavePaths() && (await lstat(target)).isSymbolicLink()) throw notAFolder(shown);
    return wrap(await open(target, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), shown);
  } catch (error) {
    const code = systemCode(error);
    if (code === "ELOOP" || code === "ENOTDIR") throw notAFolder(shown, error);
    throw error;
  }
}

/** Opens `components` below `root` level by level; the caller closes the result. Closing `root` stays the caller's. */
export async function openBelow(root: OpenFolder, components: readonly string[], create: boolean): Promise<OpenFolder> {
  let current = root;
  try {
    for (const component of components) {
      const next = await openChild(current, component, create);
      if (current !== root) await current.close();
      current = next;
    }
    return current;
  } catch (error) {
    if (current !== root) await current.close();
    throw error;
  }
}

function wrap(handle: FileHandle, shown: string): OpenFolder {
  const base = descriptorsHavePaths() ? `/proc/self/fd/${handle.fd}` : shown;
  return {
    shown,
    at: (component) => `${base}/${component}`,
    async sync() {
      try {
        await handle.sync();
      } catch (error) {
        if (!isSyncUnsupported(error)) throw error;
      }
    },
    close: () => handle.close(),
  };
}

/** Some network and FUSE file systems have no fsync; there is nothing more that could be done on them. */
export function isSyncUnsupported(error: unknown): boolean {
  const code = systemCode(error);
  return code === "EINVAL" || code === "ENOSYS" || code === "ENOTSUP" || code === "EOPNOTSUPP" || code === "EBADF";
}

let procSeen: boolean | undefined;

function descriptorsHavePaths(): boolean {
  procSeen ??= existsSync("/proc/self/fd");
  return procSeen;
}

function notAFolder(shown: string, cause?: unknown): DestinationError {
  return new DestinationError("invalid", `${shown} is not a folder`, {
    hint: "something else stands where Lifeboat keeps its records; remove it",
    ...(cause === undefined ? {} : { cause }),
  });
}
