import type { Setting, Values } from "../contracts/setting.ts";
import type { GoType, GoValue } from "../golang/template/types.ts";
import { INT, INT32, INT64, STRING } from "../golang/template/types.ts";
import { bool, integer, pointer, regexpValue, stringList, struct, text } from "../golang/template/values.ts";
import { durationValue } from "../golang/template/time-values.ts";
import { maskUserInfo } from "../lib/redact.ts";

/** What a secret shows in a template. */
const MASK = "***";

/** Names that docker-volume-backup spells in another way than the plain rule does. */
const NAMES: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY_ID: "AwsAccessKeyID",
  AWS_ENDPOINT_CA_CERT: "AwsEndpointCACert",
  DROPBOX_OAUTH2_ENDPOINT: "DropboxOAuth2Endpoint",
  EMAIL_SMTP_HOST: "EmailSMTPHost",
  EMAIL_SMTP_PASSWORD: "EmailSMTPPassword",
  EMAIL_SMTP_PORT: "EmailSMTPPort",
  EMAIL_SMTP_USERNAME: "EmailSMTPUsername",
  GOOGLE_DRIVE_CREDENTIALS_JSON: "GoogleDriveCredentialsJSON",
  GOOGLE_DRIVE_FOLDER_ID: "GoogleDriveFolderID",
  GOOGLE_DRIVE_TEAM_DRIVE_ID: "GoogleDriveTeamDriveID",
  GOOGLE_DRIVE_TOKEN_URL: "GoogleDriveTokenURL",
  NOTIFICATION_URLS: "NotificationURLs",
  TZ: "Timezone",
};

/** Its whole numbers have these types, which `printf "%T"` and a comparison show. */
const WIDE: Readonly<Record<string, GoType>> = { AWS_PART_SIZE: INT64, BACKUP_RETENTION_DAYS: INT32 };

/** Lists and texts are of these types there, whatever they are here. */
const AS_TEXT = new Set(["BACKUP_SOURCES", "SSH_PORT"]);

const COMPRESSION: GoType = {
  kind: "string",
  name: "main.CompressionType",
  methods: {
    String: {
      params: [],
      call: (receiver) => (receiver.kind === "string" ? { ...receiver, type: STRING } : receiver),
    },
  },
};

/** `BACKUP_CRON_EXPRESSION` is the field `.Config.BackupCronExpression`. */
export function fieldName(key: string): string {
  const known = NAMES[key];
  if (known !== undefined) return known;
  return key
    .split("_")
    .map((word, at) => (at === 0 && word === "SSH" ? word : word.charAt(0) + word.slice(1).toLowerCase()))
    .join("");
}

/** `.Config` of a template: every setting under docker-volume-backup's name and with its type; secrets are masked. */
export function configValue(settings: readonly Setting[], values: Values): GoValue {
  const fields: Record<string, GoValue> = {};
  for (const setting of settings) fields[fieldName(setting.key)] = fieldValue(setting, values);
  return pointer(struct("main.Config", { ...fields, source: text("") }));
}

function fieldValue(setting: Setting, values: Values): GoValue {
  const { key } = setting;
  const value: unknown = values.get(setting);
  if (setting.secret === true) {
    if (setting.kind === "urls" || setting.kind === "list")
      return stringList(Array.isArray(value) ? value.map(() => MASK) : undefined);
    return text(value === undefined || value === "" ? "" : MASK);
  }
  if (key === "BACKUP_COMPRESSION") return { kind: "string", type: COMPRESSION, v: String(value) };
  if (key === "BACKUP_EXCLUDE_REGEXP") {
    return struct("main.RegexpDecoder", { Re: typeof value === "string" ? regexpValue(value) : NO_REGEXP });
  }
  if (key === "AWS_ENDPOINT_CA_CERT") return struct("main.CertDecoder", { Cert: NO_CERTIFICATE });
  if (AS_TEXT.has(key))
    return text(
      Array.isArray(value)
        ? value.join(",")
        : typeof value === "number" || typeof value === "string"
          ? String(value)
          : "",
    );
  switch (setting.kind) {
    case "boolean":
      return bool(value === true);
    case "duration":
      return durationValue(BigInt(Math.round((typeof value === "number" ? value : 0) * 1_000_000)));
    case "whole":
    case "natural":
    case "bytes":
      return integer(typeof value === "number" ? Math.trunc(value) : 0, WIDE[key] ?? INT);
    case "list":
    case "paths":
    case "globs":
    case "urls":
      return stringList(Array.isArray(value) ? value.map(String) : undefined);
    case "text":
    case "choice":
    case "path":
    case "cron":
    case "zone":
    case "regexp":
    case "filename":
    case "pem":
    case "url":
      return text(typeof value === "string" ? maskUserInfo(value) : "");
  }
}

const NO_REGEXP: GoValue = {
  kind: "pointer",
  type: { kind: "pointer", name: "*regexp.Regexp", elem: { kind: "struct", name: "regexp.Regexp" } },
  v: undefined,
};
const NO_CERTIFICATE: GoValue = {
  kind: "pointer",
  type: { kind: "pointer", name: "*x509.Certificate", elem: { kind: "struct", name: "x509.Certificate" } },
  v: undefined,
};
