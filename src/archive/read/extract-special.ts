import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { renameSync } from "node:fs";
import type { ArchiveEntry } from "./entry.ts";
import type { Folder } from "./extract-folders.ts";

const PROGRAM_TIMEOUT_MS = 10_000;
const PROGRAM_PATH = "/usr/bin:/bin:/usr/sbin:/sbin";

/** A name that no archive has, for what is put into place by renaming. */
export function temporaryName(): string {
  return `.lifeboat-restore-${randomBytes(8).toString("hex")}`;
}

/**
 * Makes a FIFO or a device node, which Node itself can't: the system's `mkfifo` and `mknod` do it, inside the open folder and
 * under a plain temporary name, since an argument can't hold every byte that a name can.
 * @returns why it was not made, if so
 */
export function makeSpecialFile(folder: Folder, name: string, entry: ArchiveEntry): string | undefined {
  const temporary = temporaryName();
  const path = folder
    .at(temporary)
    .toString("latin1")
    .replace(/^\/proc\/self\/fd\/\d+\//, "/proc/self/fd/3/");
  const mode = ["-m", (entry.mode & 0o777).toString(8)];
  const letter = entry.type === "character-device" ? "c" : "b";
  const { major = 0, minor = 0 } = entry.device ?? {};
  const [program, ...args] =
    entry.type === "fifo" ? ["mkfifo", ...mode, path] : ["mknod", ...mode, path, letter, `${major}`, `${minor}`];
  const result = spawnSync(program, args, {
    stdio: ["ignore", "ignore", "pipe", folder.fd],
    env: { PATH: PROGRAM_PATH, LC_ALL: "C" },
    timeout: PROGRAM_TIMEOUT_MS,
  });
  if (result.error !== undefined) return `${program} can't be run here`;
  if (result.status !== 0) return /: ([^:]+)\n?$/.exec(result.stderr.toString())?.[1] ?? `${program} failed`;
  renameSync(folder.at(temporary), folder.at(name));
  return undefined;
}
