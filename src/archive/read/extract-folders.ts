import { closeSync, constants, existsSync, mkdirSync, openSync } from "node:fs";
import { systemCode } from "../../lib/errors.ts";

/**
 * Folders below a target, entered one name at a time and never through a link. Each is held open, and what happens inside it
 * goes through `/proc/self/fd`: nobody who swaps a folder for a link meanwhile can lead a write out of the target. (Node has
 * no `openat`. Where there is no `/proc`, as on macOS, plain paths are used; links are then refused, but not races.)
 */
export interface Folders {
  /**
   * Opens the folder, and makes what is missing when `create`.
   * @throws LeadsThroughLink where a name on the way is a link or no folder; a system error otherwise
   */
  enter(names: readonly string[], create: boolean): Folder;
  close(): void;
}

/** An open folder, until another one is entered. Names are bytes as `latin1` text, one character each. */
export interface Folder {
  readonly fd: number;
  /** A path for a call that does not follow its last name. */
  at(name: string): Buffer;
}

/** A name on the way that is not a folder, or not a real one. */
export class LeadsThroughLink extends Error {}

interface Frame {
  readonly name: string;
  readonly path: string;
  fd: number | undefined;
}

/** Folders that are held open at the same time; what lies deeper is walked to again. */
const MOST_OPEN = 128;

const HAS_PROC_FD = "/proc/self/fd";

/** @param onCreated called with the names of each folder that was made */
export function createFolders(target: string, onCreated: (names: readonly string[]) => void): Folders {
  const base = existsSync(HAS_PROC_FD) ? HAS_PROC_FD : undefined;
  const rootFd = openSync(target, constants.O_RDONLY | constants.O_DIRECTORY);
  const root: Frame = { name: "", path: Buffer.from(target).toString("latin1"), fd: rootFd };
  let frames: Frame[] = [];

  const folderOf = (frame: Frame, fd: number): Folder => {
    const prefix = base === undefined ? frame.path : `${base}/${fd}`;
    return { fd, at: (name) => Buffer.from(`${prefix}/${name}`, "latin1") };
  };
  const openBelow = (parent: Folder, names: readonly string[], create: boolean): number => {
    const path = parent.at(names.at(-1) ?? ".");
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
    try {
      return openSync(path, flags);
    } catch (cause) {
      const code = systemCode(cause);
      if (code === "ENOTDIR" || code === "ELOOP") throw new LeadsThroughLink("", { cause });
      if (code !== "ENOENT" || !create) throw cause;
    }
    mkdirSync(path, 0o700);
    onCreated(names);
    return openSync(path, flags);
  };

  return {
    enter(names, create) {
      let depth = 0;
      while (depth < names.length && frames[depth]?.name === names[depth]) depth += 1;
      closeFrames(frames.slice(depth));
      frames = frames.slice(0, depth);
      // The way begins at the nearest folder above that is still open.
      while (frames.length > 0 && frames.at(-1)?.fd === undefined) frames.pop();

      const start = frames.at(-1) ?? root;
      let folder = folderOf(start, start.fd ?? rootFd);
      for (depth = frames.length; depth < names.length; depth += 1) {
        const name = names[depth] ?? "";
        const frame: Frame = { name, path: `${frames.at(-1)?.path ?? root.path}/${name}`, fd: undefined };
        frame.fd = openBelow(folder, names.slice(0, depth + 1), create);
        frames.push(frame);
        folder = folderOf(frame, frame.fd);
        // The deepest stay open: folders are gone through from the inside out when their times are set.
        const far = frames[depth - MOST_OPEN];
        if (far !== undefined) closeFrames([far]);
      }
      return folder;
    },
    close() {
      closeFrames(frames);
      frames = [];
      closeFrames([root]);
    },
  };
}

function closeFrames(frames: readonly Frame[]): void {
  for (const frame of frames) {
    if (frame.fd !== undefined) closeSync(frame.fd);
    frame.fd = undefined;
  }
}
