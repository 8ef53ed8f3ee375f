import type { PartSettings, RuleBreak, Setting, Values } from "../../contracts/setting.ts";

export const GOOGLE_DRIVE_CREDENTIALS_JSON: Setting<"text"> = {
  key: "GOOGLE_DRIVE_CREDENTIALS_JSON",
  kind: "text",
  secret: true,
  help: "Credentials of a service account, as JSON. Setting it switches Google Drive on.",
  check: (text) => (isJsonObject(text) ? undefined : "must be a JSON object, as Google's console hands it out"),
};

export const GOOGLE_DRIVE_FOLDER_ID: Setting<"text"> = {
  key: "GOOGLE_DRIVE_FOLDER_ID",
  kind: "text",
  help: "Folder that archives are stored in.",
};

export const GOOGLE_DRIVE_IMPERSONATE_SUBJECT: Setting<"text"> = {
  key: "GOOGLE_DRIVE_IMPERSONATE_SUBJECT",
  kind: "text",
  help: "User on whose behalf the service account works.",
};

export const GOOGLE_DRIVE_TEAM_DRIVE_ID: Setting<"text"> = {
  key: "GOOGLE_DRIVE_TEAM_DRIVE_ID",
  kind: "text",
  help: "Shared drive that the folder is in.",
};

export const GOOGLE_DRIVE_ENDPOINT: Setting<"url"> = {
  key: "GOOGLE_DRIVE_ENDPOINT",
  kind: "url",
  help: "Address that takes the place of Google's own API, for tests.",
};

export const GOOGLE_DRIVE_TOKEN_URL: Setting<"url"> = {
  key: "GOOGLE_DRIVE_TOKEN_URL",
  kind: "url",
  help: "Address that takes the place of Google's own token service, for tests.",
};

export const googledriveSettings: PartSettings = {
  part: "googledrive",
  title: "Google Drive",
  settings: [
    GOOGLE_DRIVE_CREDENTIALS_JSON,
    GOOGLE_DRIVE_FOLDER_ID,
    GOOGLE_DRIVE_IMPERSONATE_SUBJECT,
    GOOGLE_DRIVE_TEAM_DRIVE_ID,
    GOOGLE_DRIVE_ENDPOINT,
    GOOGLE_DRIVE_TOKEN_URL,
  ],
  notBuilt: "storing archives in Google Drive is not built yet",
  isConfigured,
  rules,
  target: (values) => `${values.get(GOOGLE_DRIVE_TEAM_DRIVE_ID) ?? ""}/${values.get(GOOGLE_DRIVE_FOLDER_ID) ?? ""}`,
};

function isConfigured(values: Values): boolean {
  return values.isSet(GOOGLE_DRIVE_CREDENTIALS_JSON);
}

function rules(values: Values): readonly RuleBreak[] {
  if (!isConfigured(values) || values.isSet(GOOGLE_DRIVE_IMPERSONATE_SUBJECT)) return [];
  return [
    {
      key: GOOGLE_DRIVE_CREDENTIALS_JSON.key,
      severity: "error",
      message: `needs ${GOOGLE_DRIVE_IMPERSONATE_SUBJECT.key} as well`,
    },
  ];
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    // Not JSON: the caller says so. The parser's own message would quote the credentials.
    return false;
  }
}
