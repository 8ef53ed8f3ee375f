import { statSync } from "node:fs";
import * as path from "node:path";

/** Where the image that Lifeboat replaces looks, and panels mount. */
export const DEFAULT_ARCHIVE_FOLDER = "/archive";

/**
 * Whether a job has a local destination. The default folder counts only where it exists, as today, also when a panel
 * spells it out; any other folder was chosen by someone, so a missing one is an error of the delivery and not silence:
 * creating it would put backups on the container's own layer, where the next update removes them.
 */
export function localIsConfigured(explicit: boolean, folder: string): boolean {
  if (folder === "") return false;
  if (explicit && path.resolve(folder) !== DEFAULT_ARCHIVE_FOLDER) return true;
  try {
    statSync(folder);
    return true;
  } catch {
    // Missing or out of reach: for the default folder both mean "not mounted".
    return false;
  }
}
