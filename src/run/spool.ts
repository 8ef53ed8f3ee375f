import type { Job } from "../contracts/job.ts";
import type { ProcessOptions } from "../contracts/task.ts";
import { SPOOL_DIR } from "../delivery/settings.ts";
import { accessSync, constants, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Where archives wait when no local destination takes them. It is made when something is written to it. */
export function spoolFolderOf(job: Job, options: ProcessOptions): string {
  const chosen = job.values.get(SPOOL_DIR);
  if (chosen !== undefined && chosen !== "") return chosen;
  try {
    accessSync(options.stateDir, constants.W_OK | constants.X_OK);
    return join(options.stateDir, "spool");
  } catch {
    // No state folder to write to: the system's temporary folder is what is left.
    return join(tmpdir(), "lifeboat-spool");
  }
}

/** Linux's magic numbers of tmpfs and ramfs. */
const MEMORY_FILE_SYSTEMS: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

/** A container's temporary folder often lies in memory: an archive there would use that up. The folder may be missing yet. */
export function liesInMemory(folder: string): boolean {
  try {
    return MEMORY_FILE_SYSTEMS.has(statfsSync(folder).type);
  } catch {
    const parent = dirname(folder);
    return parent !== folder && liesInMemory(parent);
  }
}
