import type { PartSettings, RuleBreak, Setting, Values, WithDefault } from "../../contracts/setting.ts";

export const WEBDAV_URL: Setting<"url"> = {
  key: "WEBDAV_URL",
  kind: "url",
  help: "Address of the server. Setting it switches WebDAV on.",
};

export const WEBDAV_PATH: WithDefault<"text"> = {
  key: "WEBDAV_PATH",
  kind: "text",
  default: "/",
  help: "Folder on the server; it is made where it is missing.",
};

export const WEBDAV_USERNAME: Setting<"text"> = {
  key: "WEBDAV_USERNAME",
  kind: "text",
  help: "User name.",
};

export const WEBDAV_PASSWORD: Setting<"text"> = {
  key: "WEBDAV_PASSWORD",
  kind: "text",
  secret: true,
  help: "Password.",
};

export const WEBDAV_BEARER_TOKEN: Setting<"text"> = {
  key: "WEBDAV_BEARER_TOKEN",
  kind: "text",
  secret: true,
  isNew: true,
  help: "Token for servers that want one (`Authorization: Bearer`) in place of user name and password.",
};

export const WEBDAV_URL_INSECURE: WithDefault<"boolean"> = {
  key: "WEBDAV_URL_INSECURE",
  kind: "boolean",
  default: "false",
  help: "Switches the check of the server's certificate off. `WEBDAV_CA_CERT` is the better way.",
};

export const WEBDAV_CA_CERT: Setting<"pem"> = {
  key: "WEBDAV_CA_CERT",
  kind: "pem",
  isNew: true,
  help: "Certificate authority that the server's certificate is checked against, besides the usual ones: a path, or the PEM text itself.",
};

export const webdavSettings: PartSettings = {
  part: "webdav",
  title: "WebDAV",
  settings: [
    WEBDAV_URL,
    WEBDAV_PATH,
    WEBDAV_USERNAME,
    WEBDAV_PASSWORD,
    WEBDAV_BEARER_TOKEN,
    WEBDAV_URL_INSECURE,
    WEBDAV_CA_CERT,
  ],
  isConfigured,
  rules,
  target: (values) => `${values.get(WEBDAV_URL) ?? ""}/${values.get(WEBDAV_PATH)}`,
};

function isConfigured(values: Values): boolean {
  return values.isSet(WEBDAV_URL);
}

function rules(values: Values): readonly RuleBreak[] {
  if (!isConfigured(values)) return [];
  const breaks: RuleBreak[] = [];
  const url = values.get(WEBDAV_URL) ?? "";
  if (url.includes("?"))
    breaks.push({ key: WEBDAV_URL.key, severity: "warning", message: "what follows the ? in it is not used" });
  if (values.isSet(WEBDAV_USERNAME) !== values.isSet(WEBDAV_PASSWORD)) {
    const [present, missing] = values.isSet(WEBDAV_USERNAME)
      ? [WEBDAV_USERNAME, WEBDAV_PASSWORD]
      : [WEBDAV_PASSWORD, WEBDAV_USERNAME];
    breaks.push({ key: present.key, severity: "error", message: `needs ${missing.key} as well` });
  }
  if (values.isSet(WEBDAV_BEARER_TOKEN) && values.isSet(WEBDAV_USERNAME)) {
    breaks.push({
      key: WEBDAV_BEARER_TOKEN.key,
      severity: "error",
      message: `can't be used together with ${WEBDAV_USERNAME.key}; keep one`,
    });
  }
  return breaks;
}
