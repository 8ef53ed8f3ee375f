import type { PartSettings, Setting, WithDefault } from "../contracts/setting.ts";

export const BACKUP_RETENTION_DAYS: WithDefault<"whole"> = {
  key: "BACKUP_RETENTION_DAYS",
  kind: "whole",
  default: "-1",
  unit: "days",
  help: "Archives older than this are removed after a good run, unless a `BACKUP_KEEP_...` rule wants them. Negative: age removes nothing.",
};

export const BACKUP_PRUNING_LEEWAY: WithDefault<"duration"> = {
  key: "BACKUP_PRUNING_LEEWAY",
  kind: "duration",
  default: "1m",
  help: "Archives this much younger than `BACKUP_RETENTION_DAYS` are removed as well, so that runs that take a little longer or shorter don't shift the limit.",
};

export const BACKUP_PRUNING_PREFIX: Setting<"text"> = {
  key: "BACKUP_PRUNING_PREFIX",
  kind: "text",
  help: "Only archives whose name begins with this are ever removed. Whether set or not, only names that this job's `BACKUP_FILENAME` can produce are candidates.",
};

const DESTINATIONS = ["s3", "webdav", "ssh", "local", "dropbox", "azure", "googledrive"];

export const BACKUP_SKIP_BACKENDS_FROM_PRUNE: Setting<"list"> = {
  key: "BACKUP_SKIP_BACKENDS_FROM_PRUNE",
  kind: "list",
  help: `Destinations in which nothing is ever removed, separated by commas, in any case: ${DESTINATIONS.map((name) => `\`${name}\``).join(", ")}.`,
  check: (names) =>
    names.every((name) => DESTINATIONS.includes(name.toLowerCase()))
      ? undefined
      : `allowed are ${DESTINATIONS.join(", ")}`,
};

function keep(key: string, what: string): Setting<"natural"> {
  return { key, kind: "natural", unit: "archives", isNew: true, help: what };
}

export const BACKUP_KEEP_LAST = keep("BACKUP_KEEP_LAST", "Keeps the newest archives, this many.");
export const BACKUP_KEEP_DAILY = keep(
  "BACKUP_KEEP_DAILY",
  "Keeps the newest archive of each of the last days that have one, this many days.",
);
export const BACKUP_KEEP_WEEKLY = keep(
  "BACKUP_KEEP_WEEKLY",
  "Keeps the newest archive of each of the last ISO weeks that have one, this many weeks.",
);
export const BACKUP_KEEP_MONTHLY = keep(
  "BACKUP_KEEP_MONTHLY",
  "Keeps the newest archive of each of the last months that have one, this many months.",
);
export const BACKUP_KEEP_YEARLY = keep(
  "BACKUP_KEEP_YEARLY",
  "Keeps the newest archive of each of the last years that have one, this many years.",
);

export const BACKUP_KEEP_MIN: WithDefault<"natural"> = {
  key: "BACKUP_KEEP_MIN",
  kind: "natural",
  default: "1",
  unit: "archives",
  isNew: true,
  help: "Never fewer than this many good archives remain, whatever the other rules say; never are all removed.",
};

export const retentionSettings: PartSettings = {
  part: "retention",
  title: "Retention",
  settings: [
    BACKUP_RETENTION_DAYS,
    BACKUP_PRUNING_LEEWAY,
    BACKUP_PRUNING_PREFIX,
    BACKUP_SKIP_BACKENDS_FROM_PRUNE,
    BACKUP_KEEP_LAST,
    BACKUP_KEEP_DAILY,
    BACKUP_KEEP_WEEKLY,
    BACKUP_KEEP_MONTHLY,
    BACKUP_KEEP_YEARLY,
    BACKUP_KEEP_MIN,
  ],
};
