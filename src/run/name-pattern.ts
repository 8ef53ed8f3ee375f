import type { Job } from "../contracts/job.ts";
import type { NamePattern } from "../archive/names.ts";
import { BACKUP_COMPRESSION, BACKUP_FILENAME, BACKUP_FILENAME_EXPAND } from "../archive/settings.ts";
import { zoneOf } from "../lib/zone-setting.ts";

/** How a job names its archives. */
export function namePatternOf(job: Job): NamePattern {
  const compression = job.values.get(BACKUP_COMPRESSION);
  return {
    pattern: job.values.get(BACKUP_FILENAME),
    expand: job.values.get(BACKUP_FILENAME_EXPAND),
    lookup: (name) => job.environment[name],
    zone: zoneOf(job.values),
    compression: compression === "zst" || compression === "none" ? compression : "gz",
  };
}
