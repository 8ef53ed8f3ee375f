import type { PartSettings, RuleBreak, Setting, Values, WithDefault } from "../../contracts/setting.ts";

export const AZURE_STORAGE_ACCOUNT_NAME: Setting<"text"> = {
  key: "AZURE_STORAGE_ACCOUNT_NAME",
  kind: "text",
  help: "Storage account. Setting it switches Azure Blob Storage on.",
};

export const AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: Setting<"text"> = {
  key: "AZURE_STORAGE_PRIMARY_ACCOUNT_KEY",
  kind: "text",
  secret: true,
  help: "Key of the storage account. With neither this nor a connection string, the managed identity is used.",
};

export const AZURE_STORAGE_CONNECTION_STRING: Setting<"text"> = {
  key: "AZURE_STORAGE_CONNECTION_STRING",
  kind: "text",
  secret: true,
  help: "Connection string, instead of the account's key.",
};

export const AZURE_STORAGE_CONTAINER_NAME: Setting<"text"> = {
  key: "AZURE_STORAGE_CONTAINER_NAME",
  kind: "text",
  help: "Container that archives are stored in.",
};

export const AZURE_STORAGE_PATH: Setting<"text"> = {
  key: "AZURE_STORAGE_PATH",
  kind: "text",
  help: "Folder (name prefix) inside the container.",
};

export const AZURE_STORAGE_ENDPOINT: WithDefault<"text"> = {
  key: "AZURE_STORAGE_ENDPOINT",
  kind: "text",
  default: "https://{{ .AccountName }}.blob.core.windows.net/",
  help: "Address of the service; `{{ .AccountName }}` stands for the storage account.",
  check: checkEndpoint,
};

export const AZURE_STORAGE_ACCESS_TIER: Setting<"choice"> = {
  key: "AZURE_STORAGE_ACCESS_TIER",
  kind: "choice",
  allowed: [
    "Archive",
    "Cold",
    "Cool",
    "Hot",
    "P4",
    "P6",
    "P10",
    "P15",
    "P20",
    "P30",
    "P40",
    "P50",
    "P60",
    "P70",
    "P80",
    "Premium",
  ],
  help: "Access tier of archives. Unset: the account's own.",
};

export const azureSettings: PartSettings = {
  part: "azure",
  title: "Azure Blob Storage",
  settings: [
    AZURE_STORAGE_ACCOUNT_NAME,
    AZURE_STORAGE_PRIMARY_ACCOUNT_KEY,
    AZURE_STORAGE_CONNECTION_STRING,
    AZURE_STORAGE_CONTAINER_NAME,
    AZURE_STORAGE_PATH,
    AZURE_STORAGE_ENDPOINT,
    AZURE_STORAGE_ACCESS_TIER,
  ],
  isConfigured,
  rules,
  target: (values) =>
    `${values.get(AZURE_STORAGE_ENDPOINT)}${values.get(AZURE_STORAGE_ACCOUNT_NAME) ?? ""}/${values.get(AZURE_STORAGE_CONTAINER_NAME) ?? ""}/${values.get(AZURE_STORAGE_PATH) ?? ""}`,
};

function isConfigured(values: Values): boolean {
  return values.isSet(AZURE_STORAGE_ACCOUNT_NAME);
}

function rules(values: Values): readonly RuleBreak[] {
  if (!isConfigured(values)) return whenOff(values);
  const breaks: RuleBreak[] = [];
  if (values.isSet(AZURE_STORAGE_PRIMARY_ACCOUNT_KEY) && values.isSet(AZURE_STORAGE_CONNECTION_STRING)) {
    breaks.push({
      key: AZURE_STORAGE_PRIMARY_ACCOUNT_KEY.key,
      severity: "error",
      message: `can't be used together with ${AZURE_STORAGE_CONNECTION_STRING.key}; keep one`,
    });
  }
  if (!values.isSet(AZURE_STORAGE_CONTAINER_NAME)) {
    breaks.push({
      key: AZURE_STORAGE_ACCOUNT_NAME.key,
      severity: "error",
      message: `needs ${AZURE_STORAGE_CONTAINER_NAME.key} as well`,
    });
  }
  return breaks;
}

/** A connection string names an account, too, so it looks as if it were enough. */
function whenOff(values: Values): readonly RuleBreak[] {
  if (!values.isSet(AZURE_STORAGE_CONNECTION_STRING)) return [];
  return [
    {
      key: AZURE_STORAGE_CONNECTION_STRING.key,
      severity: "warning",
      message: `is not used: only ${AZURE_STORAGE_ACCOUNT_NAME.key} switches Azure on`,
    },
  ];
}

function checkEndpoint(text: string): string | undefined {
  const address = text.replaceAll(/\{\{(?:-\s)?\s*\.AccountName\s*(?:\s-)?\}\}/g, "account");
  if (address.includes("{{")) return "only {{ .AccountName }} is understood between double braces";
  return /^https?:\/\/[^/]/.test(address) && URL.canParse(address) ? undefined : "must be an http or https URL";
}
