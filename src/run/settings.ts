import type { PartSettings, WithDefault } from "../contracts/setting.ts";

export const LOCK_TIMEOUT: WithDefault<"duration"> = {
  key: "LOCK_TIMEOUT",
  kind: "duration",
  default: "60m",
  help: "How long a run waits for another run of the same container to end before it fails.",
};

export const BACKUP_TIMEOUT: WithDefault<"duration"> = {
  key: "BACKUP_TIMEOUT",
  kind: "duration",
  default: "0s",
  isNew: true,
  help: "A run that takes longer than this is ended and counts as failed. 0 or less: no limit.",
};

export const BACKUP_MIN_SIZE_PERCENT: WithDefault<"natural"> = {
  key: "BACKUP_MIN_SIZE_PERCENT",
  kind: "natural",
  default: "50",
  unit: "%",
  isNew: true,
  help: "An archive smaller than this share of the median of the last five makes the run `partial`, and nothing is pruned. 0: never.",
  check: (value) => (value <= 100 ? undefined : "must be from 0 to 100"),
};

export const runSettings: PartSettings = {
  part: "run",
  title: "Runs",
  settings: [LOCK_TIMEOUT, BACKUP_TIMEOUT, BACKUP_MIN_SIZE_PERCENT],
};
