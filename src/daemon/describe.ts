import type { Job } from "../contracts/job.ts";
import { localIso } from "../lib/iso-time.ts";
import { TZ } from "../lib/zone-setting.ts";
import { BACKUP_CRON_EXPRESSION } from "../schedule/settings.ts";

/** What a schedule consists of, to see whether it changed. */
export function scheduleOf(job: Job): string {
  return JSON.stringify([job.values.get(BACKUP_CRON_EXPRESSION), job.values.get(TZ)]);
}

/** The line that tells the owner when this job runs next. */
export function describeSchedule(job: Job, nextMs: number | undefined): string {
  const expression = job.values.get(BACKUP_CRON_EXPRESSION);
  const zone = job.values.get(TZ);
  const where = zone === undefined ? "" : ` (${zone})`;
  return nextMs === undefined
    ? `schedule ${expression}${where} never comes due; this job runs only by hand`
    : `schedule ${expression}${where}, next run at ${localIso(nextMs)}`;
}
