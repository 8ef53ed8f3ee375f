import type { Destination } from "../contracts/destination.ts";
import type { Job } from "../contracts/job.ts";
import { expandName } from "../archive/names.ts";
import { openDestinations } from "../destinations/index.ts";
import { BACKUP_LATEST_SYMLINK } from "../destinations/local/settings.ts";
import { namePatternOf } from "./name-pattern.ts";

/**
 * Opens the job's destinations; nothing is connected yet. `stateDir` keeps pinned host keys; `onWarning` hears what went
 * wrong beside a good delivery.
 */
export async function openJobDestinations(
  job: Job,
  stateDir: string,
  onWarning?: (text: string) => void,
): Promise<readonly Destination[]> {
  const link = job.values.get(BACKUP_LATEST_SYMLINK);
  return openDestinations(job, {
    stateDir,
    ...(link === undefined ? {} : { latestSymlink: expandName(link, namePatternOf(job)) }),
    ...(onWarning === undefined ? {} : { onWarning }),
  });
}
