import type { PartSettings, WithDefault } from "../contracts/setting.ts";
import { TZ } from "../lib/zone-setting.ts";

export const BACKUP_CRON_EXPRESSION: WithDefault<"cron"> = {
  key: "BACKUP_CRON_EXPRESSION",
  kind: "cron",
  default: "@daily",
  help: "When the job runs: five fields (minute, hour, day of month, month, day of week), six with leading seconds, or a descriptor such as `@daily`, `@hourly`, `@every 1h30m`. An expression that never fires (`0 0 5 31 2 ?`) switches the schedule off.",
};

export const BACKUP_JITTER: WithDefault<"duration"> = {
  key: "BACKUP_JITTER",
  kind: "duration",
  default: "0s",
  help: "Each run starts a random time from 0 up to this later than scheduled. The time in the archive's name stays the scheduled one. Negative values mean none.",
};

export const BACKUP_CATCH_UP: WithDefault<"boolean"> = {
  key: "BACKUP_CATCH_UP",
  kind: "boolean",
  default: "true",
  isNew: true,
  help: "Whether a run that was due while nothing could start it is made up for, once, within minutes after the next start.",
};

export const scheduleSettings: PartSettings = {
  part: "schedule",
  title: "Schedule",
  settings: [BACKUP_CRON_EXPRESSION, BACKUP_JITTER, BACKUP_CATCH_UP, TZ],
};
