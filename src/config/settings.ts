import type { PartSettings, Setting } from "../contracts/setting.ts";

export const CONFIG_DIR: Setting<"path"> = {
  key: "CONFIG_DIR",
  kind: "path",
  isNew: true,
  processWide: true,
  help: "Folder whose files are the jobs. Unset: `/config`, else `/etc/dockervolumebackup/conf.d`, where they exist.",
};

export const configSettings: PartSettings = {
  part: "config",
  title: "Configuration",
  settings: [CONFIG_DIR],
};
