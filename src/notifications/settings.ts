import type { PartSettings, RuleBreak, Setting, WithDefault } from "../contracts/setting.ts";

/** A bad URL is a warning: it must neither keep the job from running nor the other URLs from being used. */
async function proveUrls(urls: readonly string[]): Promise<readonly string[]> {
  const { parseRoutes } = await import("./routes.ts");
  const { problems, warnings } = parseRoutes(urls);
  return [...problems, ...warnings];
}

export const NOTIFICATION_URLS: Setting<"urls"> = {
  key: "NOTIFICATION_URLS",
  kind: "urls",
  secret: true,
  prove: proveUrls,
  help: "Whom to tell about runs: shoutrrr-style URLs, separated by commas. A comma inside a URL is written `%2C`.",
};

export const NOTIFICATION_URLS_ERROR: Setting<"urls"> = {
  key: "NOTIFICATION_URLS_ERROR",
  kind: "urls",
  secret: true,
  prove: proveUrls,
  isNew: true,
  help: "Further URLs that are told only what goes wrong.",
};

export const NOTIFICATION_URLS_INFO: Setting<"urls"> = {
  key: "NOTIFICATION_URLS_INFO",
  kind: "urls",
  secret: true,
  prove: proveUrls,
  isNew: true,
  help: "Further URLs that are told about every run.",
};

export const NOTIFICATION_LEVEL: WithDefault<"choice"> = {
  key: "NOTIFICATION_LEVEL",
  kind: "choice",
  allowed: ["error", "info"],
  default: "error",
  help: "What `NOTIFICATION_URLS` are told: only what goes wrong, or every run.",
};

export const BACKUP_MAX_AGE: Setting<"duration"> = {
  key: "BACKUP_MAX_AGE",
  kind: "duration",
  isNew: true,
  help: "Tells once when no good backup is younger than this. 0 or unset: no limit.",
  check: (age) => (age >= 0 ? undefined : "must be 0 or more"),
};

export const HEALTHCHECK_URL: Setting<"text"> = {
  key: "HEALTHCHECK_URL",
  // No `url`: a wrong one would be an error, and keep the job from running.
  kind: "text",
  secret: true,
  async prove(url) {
    const { isPingUrl } = await import("./healthcheck.ts");
    return url === "" || isPingUrl(url) ? [] : ["is no http or https URL, so nothing is pinged"];
  },
  isNew: true,
  help: "An http or https URL: pinged at the start and the end of each run, in the form of Healthchecks.io (`/start`, `/fail`).",
};

const MAIL = "use an smtp:// URL in NOTIFICATION_URLS";

export const EMAIL_NOTIFICATION_RECIPIENT: Setting<"text"> = {
  key: "EMAIL_NOTIFICATION_RECIPIENT",
  kind: "text",
  deprecated: MAIL,
  help: "Address that gets a mail about each run that `NOTIFICATION_LEVEL` selects.",
};

export const EMAIL_NOTIFICATION_SENDER: WithDefault<"text"> = {
  key: "EMAIL_NOTIFICATION_SENDER",
  kind: "text",
  default: "noreply@nohost",
  deprecated: MAIL,
  help: "Sender of that mail.",
};

export const EMAIL_SMTP_HOST: Setting<"text"> = {
  key: "EMAIL_SMTP_HOST",
  kind: "text",
  deprecated: MAIL,
  help: "Mail server.",
};

export const EMAIL_SMTP_PORT: WithDefault<"natural"> = {
  key: "EMAIL_SMTP_PORT",
  kind: "natural",
  default: "587",
  deprecated: MAIL,
  help: "Port of the mail server.",
  check: (port) => (port >= 1 && port <= 65_535 ? undefined : "must be from 1 to 65535"),
};

export const EMAIL_SMTP_USERNAME: Setting<"text"> = {
  key: "EMAIL_SMTP_USERNAME",
  kind: "text",
  deprecated: MAIL,
  help: "User name at the mail server.",
};

export const EMAIL_SMTP_PASSWORD: Setting<"text"> = {
  key: "EMAIL_SMTP_PASSWORD",
  kind: "text",
  secret: true,
  deprecated: MAIL,
  help: "Password at the mail server.",
};

const SWITCHES = [
  NOTIFICATION_URLS,
  NOTIFICATION_URLS_ERROR,
  NOTIFICATION_URLS_INFO,
  BACKUP_MAX_AGE,
  HEALTHCHECK_URL,
  EMAIL_NOTIFICATION_RECIPIENT,
] as const;

export const notificationsSettings: PartSettings = {
  part: "notifications",
  title: "Notifications",
  settings: [
    NOTIFICATION_URLS,
    NOTIFICATION_LEVEL,
    NOTIFICATION_URLS_ERROR,
    NOTIFICATION_URLS_INFO,
    BACKUP_MAX_AGE,
    HEALTHCHECK_URL,
    EMAIL_NOTIFICATION_RECIPIENT,
    EMAIL_NOTIFICATION_SENDER,
    EMAIL_SMTP_HOST,
    EMAIL_SMTP_PORT,
    EMAIL_SMTP_USERNAME,
    EMAIL_SMTP_PASSWORD,
  ],
  isConfigured: (values) => SWITCHES.some((setting) => values.isSet(setting)),
  rules(values): readonly RuleBreak[] {
    if (!values.isSet(EMAIL_NOTIFICATION_RECIPIENT) || values.isSet(EMAIL_SMTP_HOST)) return [];
    return [
      {
        key: EMAIL_NOTIFICATION_RECIPIENT.key,
        severity: "warning",
        message: `needs ${EMAIL_SMTP_HOST.key} as well, so no mail is sent`,
      },
    ];
  },
};
