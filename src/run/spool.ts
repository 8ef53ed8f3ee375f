import type { Job } from "../contracts/job.ts";
import type { ProcessOptions } from "../contracts/task.ts";
import { SPOOL_DIR } from "../delivery/settings.ts";
import { accessSync, constants } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

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
