import fs from "node:fs";
import path from "node:path";
import { amount, nested, optionalText, readObject, text } from "./json-fields.ts";
import type { Fields } from "./json-fields.ts";
import { isAlive, processIdentity } from "./process.ts";
import type { ProcessIdentity } from "./process.ts";
import { shortCause } from "./text.ts";
import { makeFolders } from "../lib/make-folders.ts";

/** Small files in the first of several folders that takes them, each with the process that wrote it. */

const MAX_FILE_BYTES = 1024 * 1024;
const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_TRUNC, O_WRONLY } = fs.constants;

export interface Folders {
  readonly stateDir: string;
  readonly fallbackFolder: string;
}

/** Who wrote a file, and when (milliseconds since the epoch). */
export interface Written {
  readonly process: ProcessIdentity;
  readonly updatedAtMs: number;
}

export function writtenBy(fields: Fields): Written {
  return { process: nested(fields, "process", readIdentity), updatedAtMs: amount(fields, "updatedAtMs") };
}

/** A process identity as JSON keeps it. */
export function readIdentity(fields: Fields): ProcessIdentity {
  return {
    pid: amount(fields, "pid"),
    startTime: amount(fields, "startTime"),
    bootId: text(fields, "bootId", 100),
    namespace: optionalText(fields, "namespace", 100) ?? "",
  };
}

/** Sets a file's time to now, making it where it is missing. Returns why it can't, if so. */
export function touch(folders: Folders, name: string): string | undefined {
  return inFirstFolder(folders, (folder) => {
    const fd = fs.openSync(path.join(folder, name), O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
    try {
      const now = Date.now() / 1000;
      fs.futimesSync(fd, now, now);
    } finally {
      fs.closeSync(fd);
    }
  });
}

/** Milliseconds since the newest of the files was touched; undefined where there is none. */
export function ageMs(folders: Folders, name: string): number | undefined {
  const ages = bothFolders(folders).flatMap((folder) => {
    const stat = statOf(path.join(folder, name));
    return stat === undefined ? [] : [Date.now() - stat.mtimeMs];
  });
  return ages.length === 0 ? undefined : Math.min(...ages);
}

/** Writes a state with this process's identity; a reader sees all of it or the one before. Returns why it can't, if so. */
export function writeState(folders: Folders, name: string, state: object): string | undefined {
  const content = `${JSON.stringify({ ...state, process: processIdentity(process.pid), updatedAtMs: Date.now() })}\n`;
  return inFirstFolder(folders, (folder) => {
    // The pid keeps two writers apart, and a later process of that pid replaces what a killed one left.
    const temporary = path.join(folder, `.${name}.${process.pid}.tmp`);
    try {
      const fd = fs.openSync(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, 0o600);
      try {
        fs.writeFileSync(fd, content);
      } finally {
        fs.closeSync(fd);
      }
      fs.renameSync(temporary, path.join(folder, name));
    } catch (error) {
      removeFile(temporary);
      throw error;
    }
  });
}

/** The newest state whose writer is alive. */
export function newestAlive<T extends Written>(
  folders: Folders,
  name: string,
  read: (fields: Fields) => T,
): T | undefined {
  return bothFolders(folders)
    .flatMap((folder) => readObject(readJson(path.join(folder, name)), read) ?? [])
    .filter((found) => isAlive(found.process))
    .sort((a, b) => b.updatedAtMs - a.updatedAtMs)[0];
}

/** Removes this process's state, and what a dead one left. */
export function clearState(folders: Folders, name: string): void {
  for (const folder of bothFolders(folders)) {
    const file = path.join(folder, name);
    const owner = readObject(readJson(file), writtenBy)?.process;
    if (owner === undefined || owner.pid === process.pid || !isAlive(owner)) removeFile(file);
  }
}

export function removeBoth(folders: Folders, name: string): void {
  for (const folder of bothFolders(folders)) removeFile(path.join(folder, name));
}

function bothFolders({ stateDir, fallbackFolder }: Folders): string[] {
  return [stateDir, fallbackFolder];
}

function statOf(file: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(file);
  } catch {
    // Missing, or in a place that can't be looked into: no such file for us.
    return undefined;
  }
}

function readJson(file: string): unknown {
  try {
    const fd = fs.openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const stat = fs.fstatSync(fd);
      return stat.isFile() && stat.size <= MAX_FILE_BYTES ? JSON.parse(fs.readFileSync(fd, "utf8")) : undefined;
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    // Missing, not readable for us, or not JSON: the same as nothing being told.
    return undefined;
  }
}

/** Returns undefined once `write` worked in a folder, else why it did in none. */
function inFirstFolder({ stateDir, fallbackFolder }: Folders, write: (folder: string) => void): string | undefined {
  const causes: string[] = [];
  for (const folder of [stateDir, fallbackFolder]) {
    try {
      makeFolders(folder, 0o700);
      // Anyone may create names in /dev/shm: a folder that others can write to is not used.
      if (folder === fallbackFolder && !isOursAlone(folder)) throw new Error("it belongs to another user");
      write(folder);
      return undefined;
    } catch (error) {
      causes.push(`${folder}: ${shortCause(error)}`);
    }
  }
  return causes.join("; ");
}

function isOursAlone(folder: string): boolean {
  const stat = fs.lstatSync(folder);
  return stat.isDirectory() && stat.uid === process.geteuid?.() && (stat.mode & 0o022) === 0;
}

function removeFile(file: string): void {
  try {
    fs.unlinkSync(file);
  } catch {
    // Missing is success; elsewhere (read-only, …) readers judge it by its age or its writer's death.
  }
}
