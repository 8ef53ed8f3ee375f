import path from "node:path";
import type { Setting } from "../contracts/setting.ts";
import type { ProcessOptions } from "../contracts/task.ts";
import { LOG_FORMAT, LOG_LEVEL } from "../lib/log-settings.ts";
import { messageOf } from "../lib/errors.ts";
import { LOCK_FILE, STATE_DIR } from "../state/settings.ts";
import { readValue } from "./kinds.ts";
import { readLayer } from "./layer.ts";
import { createCatalogue } from "./parts.ts";
import type { Problem } from "./problem.ts";
import { CONFIG_DIR } from "./settings.ts";
import { quoteValue } from "./show.ts";
import { createValues } from "./values.ts";

export interface ProcessSettings {
  readonly options: ProcessOptions;
  /** Unset: the default folders. */
  readonly configDir: string | undefined;
  /** Errors only. A setting with an error has its default. */
  readonly problems: readonly Problem[];
}

const SETTINGS: readonly Setting[] = [STATE_DIR, LOCK_FILE, LOG_FORMAT, LOG_LEVEL, CONFIG_DIR];

/** Reads what holds for the whole process, from its environment only. */
export function processSettings(environment: Readonly<Record<string, string | undefined>>): ProcessSettings {
  const pairs = new Map<string, { value: string }>();
  for (const [key, value] of Object.entries(environment)) if (value !== undefined) pairs.set(key, { value });
  const layer = readLayer(pairs, { ...createCatalogue(), settings: SETTINGS });
  const problems: Problem[] = [...layer.failed.values()];
  const raw: Record<string, string> = {};
  for (const setting of SETTINGS) {
    const text = layer.values.get(setting.key)?.text ?? "";
    if (text === "") continue;
    try {
      readValue(setting, text);
      raw[setting.key] = text;
    } catch (error) {
      problems.push({
        severity: "error",
        key: setting.key,
        message: `${messageOf(error)}${quoteValue(setting, text)}`,
      });
    }
  }
  const values = createValues(raw);
  const options: ProcessOptions = {
    stateDir: values.get(STATE_DIR),
    lockFile: values.get(LOCK_FILE),
    logFormat: values.get(LOG_FORMAT) === "json" ? "json" : "text",
    logLevel: logLevel(values.get(LOG_LEVEL)),
    templateFolders: [
      "/etc/dockervolumebackup/notifications.d",
      path.join(values.get(CONFIG_DIR) ?? "/config", "notifications.d"),
    ],
  };
  return { options, configDir: values.get(CONFIG_DIR), problems };
}

function logLevel(text: string): ProcessOptions["logLevel"] {
  return text === "debug" || text === "warn" || text === "error" ? text : "info";
}
