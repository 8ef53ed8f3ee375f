import { closeSync, constants, fstatSync, lstatSync, openSync, opendirSync, readSync } from "node:fs";
import type { Dirent } from "node:fs";
import { systemCode } from "../../lib/errors.ts";
import { asFsPath } from "./byte-strings.ts";
import type { FileCalls } from "./file-calls.ts";
import { LISTED } from "./name-stack.ts";

/** Linux; Node does not name it. Such a descriptor only stands for a place, so it needs no permission to read. */
const O_PATH = 0o10000000;
export const FILE_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const PLACE_FLAGS = O_PATH | constants.O_DIRECTORY;
export const FOLDER_FLAGS = PLACE_FLAGS | constants.O_NOFOLLOW;

const NAMES_PER_READ = 1024;

/**
 * A path that means `name` in the folder that `fd` stands for, wherever that folder is moved and whatever its old path
 * leads to by now. It is short however deep the folder lies.
 */
export function below(fd: number, name: string): string | Buffer {
  return asFsPath(`/proc/self/fd/${fd}/${name}`);
}

/** The calls through Node's `fs`. */
export const nodeCalls: FileCalls = {
  by: "node",
  openFile(folder, name) {
    const path = below(folder, name);
    try {
      return openSync(path, FILE_FLAGS | constants.O_NOATIME);
    } catch (error) {
      // Only the owner and privileged processes may ask for it.
      if (systemCode(error) !== "EPERM") throw error;
      return openSync(path, FILE_FLAGS);
    }
  },
  openFolder: (folder, name) => openSync(below(folder, name), FOLDER_FLAGS),
  openFolderByPath: (path) => openSync(asFsPath(path), PLACE_FLAGS),
  statOpen: (fd, into) => into.fill(fstatSync(fd, { bigint: true })),
  statName: (folder, name, into) => into.fill(lstatSync(below(folder, name), { bigint: true })),
  read: (fd, target, at, bytes) => readSync(fd, target, at, bytes, null),
  list(fd, names) {
    const listing = opendirSync(below(fd, "."), { encoding: "latin1", bufferSize: NAMES_PER_READ });
    try {
      for (let entry = listing.readSync(); entry !== null; entry = listing.readSync()) {
        names.add(listedType(entry), Buffer.from(entry.name, "latin1"), 0);
      }
    } finally {
      listing.closeSync();
    }
  },
  close(fd) {
    try {
      closeSync(fd);
    } catch {
      // The descriptor is gone either way.
    }
  },
};

function listedType(entry: Dirent): number {
  if (entry.isFile()) return LISTED.file;
  return entry.isDirectory() ? LISTED.folder : LISTED.unknown;
}
