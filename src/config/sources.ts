import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { systemCode } from "../lib/errors.ts";
import { printablePath } from "../lib/printable.ts";
import type { Problem } from "./problem.ts";
import { reasonOf } from "./read-file.ts";

/** Where the image that Lifeboat replaces keeps its files comes second. */
export const DEFAULT_FOLDERS: readonly string[] = ["/config", "/etc/dockervolumebackup/conf.d"];

export interface JobFile {
  /** File name without a final `.env`. */
  readonly name: string;
  readonly path: string;
}

export interface FolderListing {
  readonly folder: string;
  /** Sorted by file name, as bytes. */
  readonly files: readonly JobFile[];
  readonly problems: readonly Problem[];
  /** False where the folder itself can't be read; then nothing is known about its files. */
  readonly readable: boolean;
}

/** What editors and package tools leave behind. None of these was written to be a job. */
const LEFTOVER = /^#.*#$|~$|\.(?:sw[a-z]|bak|orig|rej|tmp|dpkg-(?:old|new|dist|tmp)|rpm(?:save|new))$|^4913$/s;

const DOT_ENV = 'is not a job: its name begins with a dot; give it a name, such as "site.env"';

/** Lists the files of a folder that are jobs. Never reads them, and never throws. */
export function listFolder(folder: string): FolderListing {
  let names: Buffer[];
  try {
    names = readdirSync(folder, { encoding: "buffer" }).toSorted((a, b) => Buffer.compare(a, b));
  } catch (error) {
    const problem: Problem = {
      severity: "error",
      file: folder,
      message: `the config folder can't be read: ${folderReason(error)}`,
    };
    return { folder, files: [], problems: [problem], readable: false };
  }
  const files: JobFile[] = [];
  const problems: Problem[] = [];
  for (const bytes of names) {
    const name = bytes.toString("utf8");
    const full = path.join(folder, name);
    if (name.startsWith(".")) {
      // What every other hidden file is for, people know; this name comes from tools that expect it.
      if (name === ".env") problems.push({ severity: "warning", file: full, message: DOT_ENV });
      continue;
    }
    if (!Buffer.from(name).equals(bytes)) {
      problems.push({
        severity: "error",
        file: `${folder}/${printablePath(bytes)}`,
        message: "its name is not UTF-8, so it can't be a job; rename it",
      });
      continue;
    }
    // A name stands in the log, in the history and in the records; one of these would be shown as something else.
    if (printablePath(name) !== name) {
      problems.push({
        severity: "error",
        file: full,
        message: "its name has a control character in it, so it can't be a job; rename it",
      });
      continue;
    }
    if (LEFTOVER.test(name)) {
      problems.push({
        severity: "note",
        file: full,
        message: "is not a job: its name is that of an editor's leftover",
      });
      continue;
    }
    const kind = kindOf(full);
    if (kind === "file") files.push({ name: jobName(name), path: full });
    else if (kind === "other")
      problems.push({ severity: "warning", file: full, message: "is not a job: it is not a regular file" });
  }
  return { folder, files, problems, readable: true };
}

/** `site.env` -> `site`. */
export function jobName(fileName: string): string {
  return fileName.length > ".env".length && fileName.endsWith(".env") ? fileName.slice(0, -".env".length) : fileName;
}

/** What can't be looked at (a link that leads nowhere, say) counts as a file: reading it says what is wrong. */
function kindOf(full: string): "file" | "folder" | "other" {
  try {
    const stat = statSync(full);
    return stat.isFile() ? "file" : stat.isDirectory() ? "folder" : "other";
  } catch {
    return "file";
  }
}

export function isFolder(folder: string): boolean {
  try {
    return statSync(folder).isDirectory();
  } catch (error) {
    // A folder that exists but may not be looked at must not pass for one that is not there.
    return systemCode(error) === "EACCES";
  }
}

function folderReason(error: unknown): string {
  return systemCode(error) === "ENOTDIR" ? "it is not a folder" : reasonOf(error);
}
