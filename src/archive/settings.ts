import type { PartSettings, RuleBreak, Setting, WithDefault } from "../contracts/setting.ts";

export const BACKUP_SOURCES: WithDefault<"paths"> = {
  key: "BACKUP_SOURCES",
  kind: "paths",
  default: "/backup",
  whenEmpty: "error",
  help: "What goes into the archive: one absolute path, or several separated by commas.",
  prove: async (paths) => paths.flatMap(doubtsAbout),
};

/** A path may hold all of these, but it hardly ever does. */
function doubtsAbout(path: string): string[] {
  if (/[\s:;]\//.test(path)) return ["names one path, as it is written; several sources are separated by commas"];
  return path.includes("*") ? ["names one path, as it is written; there are no globs here"] : [];
}

export const BACKUP_FILENAME: WithDefault<"filename"> = {
  key: "BACKUP_FILENAME",
  kind: "filename",
  default: "backup-%Y-%m-%dT%H-%M-%S.{{ .Extension }}",
  whenEmpty: "error",
  help: "Name of the archive. strftime verbs stand for the scheduled time, `{{ .Extension }}` for `tar`, `tar.gz` or `tar.zst`. Without verbs every run replaces the archive of the run before. Only the part after the last slash counts; `..` is not allowed anywhere.",
};

export const BACKUP_FILENAME_EXPAND: WithDefault<"boolean"> = {
  key: "BACKUP_FILENAME_EXPAND",
  kind: "boolean",
  default: "false",
  help: "Whether `$NAME` and `${NAME}` in `BACKUP_FILENAME`, `BACKUP_LATEST_SYMLINK` and `BACKUP_PRUNING_PREFIX` stand for variables of the environment and of the config file.",
};

export const BACKUP_COMPRESSION: WithDefault<"choice"> = {
  key: "BACKUP_COMPRESSION",
  kind: "choice",
  allowed: ["gz", "zst", "none"],
  default: "gz",
  help: "How the archive is compressed: gzip, Zstandard, or not at all.",
};

export const BACKUP_COMPRESSION_LEVEL: WithDefault<"choice"> = {
  key: "BACKUP_COMPRESSION_LEVEL",
  kind: "choice",
  allowed: ["fast", "default", "best"],
  default: "default",
  isNew: true,
  help: "Trades CPU time for size. With `gz`, `fast` takes half of the CPU time of `default` and makes archives of text about a tenth larger; `best` takes three times as much and makes them a twentieth smaller. `lifeboat check` shows what compresses at each level.",
};

export const GZIP_PARALLELISM: WithDefault<"natural"> = {
  key: "GZIP_PARALLELISM",
  kind: "natural",
  default: "0",
  unit: "blocks",
  help: "How many blocks are compressed at the same time. 0: as many as the container may use CPUs, rounded up.",
};

export const BACKUP_HARDLINKS: WithDefault<"choice"> = {
  key: "BACKUP_HARDLINKS",
  kind: "choice",
  allowed: ["copy", "link"],
  default: "copy",
  isNew: true,
  help: "Whether further names of one file are stored as copies of its content (which every restore understands) or as link entries.",
};

export const BACKUP_EXCLUDE_REGEXP: Setting<"regexp"> = {
  key: "BACKUP_EXCLUDE_REGEXP",
  kind: "regexp",
  help: "Paths that match this Go (RE2) regular expression are left out. It is looked for anywhere in the full path (`/backup/...`). What lies below a matching folder is kept unless it matches too.",
};

export const BACKUP_EXCLUDE_GLOBS: Setting<"globs"> = {
  key: "BACKUP_EXCLUDE_GLOBS",
  kind: "globs",
  isNew: true,
  help: "Comma-separated globs over the full path, for example `/backup/**/cache,/backup/**/node_modules`. A folder that matches is left out with everything below it.",
};

export const BACKUP_FROM_SNAPSHOT: WithDefault<"boolean"> = {
  key: "BACKUP_FROM_SNAPSHOT",
  kind: "boolean",
  default: "false",
  deprecated: "has no effect: files that change while they are read need no copy of the source",
  help: "Accepted for compatibility.",
};

export const archiveSettings: PartSettings = {
  part: "archive",
  title: "Archive",
  settings: [
    BACKUP_SOURCES,
    BACKUP_FILENAME,
    BACKUP_FILENAME_EXPAND,
    BACKUP_COMPRESSION,
    BACKUP_COMPRESSION_LEVEL,
    GZIP_PARALLELISM,
    BACKUP_HARDLINKS,
    BACKUP_EXCLUDE_REGEXP,
    BACKUP_EXCLUDE_GLOBS,
    BACKUP_FROM_SNAPSHOT,
  ],
};

export const GPG_PASSPHRASE: Setting<"text"> = {
  key: "GPG_PASSPHRASE",
  kind: "text",
  secret: true,
  help: "Encrypts the archive for OpenPGP with this passphrase; its name gets `.gpg`.",
};

export const GPG_PUBLIC_KEY_RING: Setting<"text"> = {
  key: "GPG_PUBLIC_KEY_RING",
  kind: "text",
  help: "Encrypts the archive for the OpenPGP public keys of this armored key ring; its name gets `.gpg`.",
};

export const AGE_PASSPHRASE: Setting<"text"> = {
  key: "AGE_PASSPHRASE",
  kind: "text",
  secret: true,
  help: "Encrypts the archive with age and this passphrase; its name gets `.age`.",
};

export const AGE_PUBLIC_KEYS: Setting<"list"> = {
  key: "AGE_PUBLIC_KEYS",
  kind: "list",
  help: "Encrypts the archive with age for these recipients (`age1...` or `ssh-...`), separated by commas; its name gets `.age`.",
  check: (keys) =>
    keys.every((key) => key.startsWith("age1") || key.startsWith("ssh-"))
      ? undefined
      : "every recipient must begin with age1 or ssh- (a secret key does not belong here)",
};

const ENCRYPTIONS = [GPG_PASSPHRASE, GPG_PUBLIC_KEY_RING, AGE_PASSPHRASE, AGE_PUBLIC_KEYS] as const;

export const encryptionSettings: PartSettings = {
  part: "encryption",
  title: "Encryption",
  settings: ENCRYPTIONS,
  notBuilt: "encryption is not built yet",
  isConfigured: (values) => ENCRYPTIONS.some((setting) => values.isSet(setting)),
  rules(values): readonly RuleBreak[] {
    const [first, ...others] = ENCRYPTIONS.filter((setting) => values.isSet(setting)).map(({ key }) => key);
    if (first === undefined || others.length === 0) return [];
    return [
      {
        key: first,
        severity: "error",
        message: `exactly one kind of encryption can be used, but ${others.join(" and ")} is set too`,
      },
    ];
  },
};
