import type { PartSettings, Setting, WithDefault } from "../../contracts/setting.ts";

export const BACKUP_ARCHIVE: WithDefault<"path"> = {
  key: "BACKUP_ARCHIVE",
  kind: "path",
  default: "/archive",
  whenEmpty: "value",
  help: "Folder in which archives are kept. Used only where it exists. Empty: no local destination.",
};

export const BACKUP_LATEST_SYMLINK: Setting<"filename"> = {
  key: "BACKUP_LATEST_SYMLINK",
  kind: "filename",
  help: "Name of a symbolic link in `BACKUP_ARCHIVE` that always leads to the newest archive. strftime verbs are understood.",
  check: (name) => (name.includes("/") ? "must be a name inside BACKUP_ARCHIVE, without a slash" : undefined),
};

export const localSettings: PartSettings = {
  part: "local",
  title: "Local folder",
  settings: [BACKUP_ARCHIVE, BACKUP_LATEST_SYMLINK],
  isConfigured: (values) => values.get(BACKUP_ARCHIVE) !== "",
  target: (values) =>
    values
      .get(BACKUP_ARCHIVE)
      .replaceAll(/\/+/g, "/")
      .replace(/(?<=.)\/$/, ""),
};
