import type { PartSettings, WithDefault } from "../contracts/setting.ts";

export const STATE_DIR: WithDefault<"path"> = {
  key: "STATE_DIR",
  kind: "path",
  default: "/data",
  isNew: true,
  processWide: true,
  help: "Folder of the history, of pinned host keys and of what waits to be sent again. It may be missing; then each restart forgets them.",
};

export const LOCK_FILE: WithDefault<"path"> = {
  key: "LOCK_FILE",
  kind: "path",
  default: "/var/lock/dockervolumebackup.lock",
  isNew: true,
  processWide: true,
  help: "File that exists while a run is under way.",
};

export const HISTORY_DAYS: WithDefault<"natural"> = {
  key: "HISTORY_DAYS",
  kind: "natural",
  default: "365",
  unit: "days",
  isNew: true,
  help: "How long runs stay in the history, and their records beside the archives. 0: for ever.",
};

export const stateSettings: PartSettings = {
  part: "state",
  title: "State and history",
  settings: [STATE_DIR, LOCK_FILE, HISTORY_DAYS],
};
