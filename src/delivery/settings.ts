import type { PartSettings, Setting, WithDefault } from "../contracts/setting.ts";

export const BACKUP_STAGING: WithDefault<"choice"> = {
  key: "BACKUP_STAGING",
  kind: "choice",
  allowed: ["auto", "memory", "disk"],
  default: "auto",
  isNew: true,
  help: "How an archive waits on its way to the destinations: in a memory window, in a file, or whichever suits the job.",
};

export const SPOOL_DIR: Setting<"path"> = {
  key: "SPOOL_DIR",
  kind: "path",
  isNew: true,
  help: "Folder for archives that wait on disk when no local destination takes them. Unset: `spool` in the state folder, or the system's temporary folder where that can't be written.",
};

export const SPOOL_MAX_BYTES: WithDefault<"bytes"> = {
  key: "SPOOL_MAX_BYTES",
  kind: "bytes",
  default: "10GB",
  isNew: true,
  help: "Most that archives may take up in the spool folder while they wait to be sent again to a destination that did not take them. 0: none is kept there. An archive that went through memory is only kept where this is set. One that lies in `BACKUP_ARCHIVE` needs no room in the spool.",
};

export const UPLOAD_LIMIT: Setting<"bytes"> = {
  key: "UPLOAD_LIMIT",
  kind: "bytes",
  unit: "per second",
  isNew: true,
  help: "Most bytes per second over all deliveries together, for example `5MB`. 0 or unset: no limit.",
};

export const deliverySettings: PartSettings = {
  part: "delivery",
  title: "Delivery",
  settings: [BACKUP_STAGING, SPOOL_DIR, SPOOL_MAX_BYTES, UPLOAD_LIMIT],
};
