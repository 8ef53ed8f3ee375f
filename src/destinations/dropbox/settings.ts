import type { PartSettings, RuleBreak, Setting, Values, WithDefault } from "../../contracts/setting.ts";
import { checkFolder } from "./paths.ts";

export const DROPBOX_REFRESH_TOKEN: Setting<"text"> = {
  key: "DROPBOX_REFRESH_TOKEN",
  kind: "text",
  secret: true,
  help: "Refresh token of the Dropbox app, as `lifeboat dropbox-login` prints it. Dropbox is used when this, the key and the secret are set.",
};

export const DROPBOX_APP_KEY: Setting<"text"> = {
  key: "DROPBOX_APP_KEY",
  kind: "text",
  secret: true,
  help: "Key of the Dropbox app.",
};

export const DROPBOX_APP_SECRET: Setting<"text"> = {
  key: "DROPBOX_APP_SECRET",
  kind: "text",
  secret: true,
  help: "Secret of the Dropbox app.",
};

export const DROPBOX_REMOTE_PATH: Setting<"text"> = {
  key: "DROPBOX_REMOTE_PATH",
  kind: "text",
  help: "Folder in the Dropbox, or in the app's own folder. It is made by the first upload. Unset: the topmost folder.",
  check: checkFolder,
};

export const DROPBOX_CONCURRENCY_LEVEL: WithDefault<"natural"> = {
  key: "DROPBOX_CONCURRENCY_LEVEL",
  kind: "natural",
  default: "6",
  unit: "requests",
  help: "How many pieces of an archive are sent at the same time, as far as memory allows: all together have at most 48 MiB.",
  check: (level) => (level >= 1 ? undefined : "must be 1 or more"),
};

export const DROPBOX_ENDPOINT: Setting<"url"> = {
  key: "DROPBOX_ENDPOINT",
  kind: "url",
  help: "Address that takes the place of Dropbox's own API, for tests.",
};

export const DROPBOX_OAUTH2_ENDPOINT: Setting<"url"> = {
  key: "DROPBOX_OAUTH2_ENDPOINT",
  kind: "url",
  help: "Address that takes the place of Dropbox's own token service, for tests.",
};

const NEEDED = [DROPBOX_REFRESH_TOKEN, DROPBOX_APP_KEY, DROPBOX_APP_SECRET] as const;

export const dropboxSettings: PartSettings = {
  part: "dropbox",
  title: "Dropbox",
  settings: [...NEEDED, DROPBOX_REMOTE_PATH, DROPBOX_CONCURRENCY_LEVEL, DROPBOX_ENDPOINT, DROPBOX_OAUTH2_ENDPOINT],
  isConfigured: dropboxIsConfigured,
  rules,
  target: (values) => `${values.get(DROPBOX_APP_KEY) ?? ""}/${values.get(DROPBOX_REMOTE_PATH) ?? ""}`,
};

export function dropboxIsConfigured(values: Values): boolean {
  return NEEDED.every((setting) => values.isSet(setting));
}

function rules(values: Values): readonly RuleBreak[] {
  const [present] = NEEDED.filter((setting) => values.isSet(setting));
  const missing = NEEDED.filter((setting) => !values.isSet(setting));
  if (present === undefined || missing.length === 0) return [];
  return [
    { key: present.key, severity: "error", message: `needs ${missing.map(({ key }) => key).join(" and ")} as well` },
  ];
}
