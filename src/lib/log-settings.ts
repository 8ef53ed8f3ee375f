import type { PartSettings, WithDefault } from "../contracts/setting.ts";

export const LOG_FORMAT: WithDefault<"choice"> = {
  key: "LOG_FORMAT",
  kind: "choice",
  allowed: ["text", "json"],
  default: "text",
  isNew: true,
  processWide: true,
  help: "One readable line per event, or one JSON object per line.",
};

export const LOG_LEVEL: WithDefault<"choice"> = {
  key: "LOG_LEVEL",
  kind: "choice",
  allowed: ["debug", "info", "warn", "error"],
  default: "info",
  isNew: true,
  processWide: true,
  help: "The least severe events that are logged.",
};

export const logSettings: PartSettings = {
  part: "log",
  title: "Log",
  settings: [LOG_FORMAT, LOG_LEVEL],
};
