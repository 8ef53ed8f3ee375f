import { archiveSettings, encryptionSettings } from "../archive/settings.ts";
import { containersSettings } from "../containers/settings.ts";
import type { PartSettings, Setting, Values } from "../contracts/setting.ts";
import { deliverySettings } from "../delivery/settings.ts";
import { azureSettings } from "../destinations/azure/settings.ts";
import { dropboxSettings } from "../destinations/dropbox/settings.ts";
import { googledriveSettings } from "../destinations/googledrive/settings.ts";
import { NUMBERS, numberedPart } from "../lib/numbered-settings.ts";
import { localSettings } from "../destinations/local/settings.ts";
import { s3Settings } from "../destinations/s3/settings.ts";
import { sshSettings } from "../destinations/ssh/settings.ts";
import { webdavSettings } from "../destinations/webdav/settings.ts";
import { logSettings } from "../lib/log-settings.ts";
import { notificationsSettings } from "../notifications/settings.ts";
import { retentionSettings } from "../retention/settings.ts";
import { runSettings } from "../run/settings.ts";
import { scheduleSettings } from "../schedule/settings.ts";
import { stateSettings } from "../state/settings.ts";
import { configSettings } from "./settings.ts";

/** Every part's declarations, in the order in which the reference shows them. */
export const PLAIN_PARTS: readonly PartSettings[] = [
  scheduleSettings,
  archiveSettings,
  encryptionSettings,
  localSettings,
  s3Settings,
  webdavSettings,
  sshSettings,
  azureSettings,
  dropboxSettings,
  googledriveSettings,
  deliverySettings,
  retentionSettings,
  containersSettings,
  notificationsSettings,
  runSettings,
  stateSettings,
  logSettings,
  configSettings,
];

/** Those of which a job may have several. */
const REPEATED: readonly PartSettings[] = [s3Settings, webdavSettings, sshSettings, azureSettings, dropboxSettings];

/** The same with the numbered sets, each after the plain one that it repeats. */
export const PARTS: readonly PartSettings[] = PLAIN_PARTS.flatMap((part) => [
  part,
  ...(isRepeated(part) ? NUMBERS.map((number) => numberedPart(part, number)) : []),
]);

/** Every setting but the numbered ones. */
export function plainSettings(): readonly Setting[] {
  return PLAIN_PARTS.flatMap((part) => part.settings);
}

/** Whether a job has anybody to tell, or a backup's age to watch. */
export function tellsAnybody({ values }: { readonly values: Values }): boolean {
  return notificationsSettings.isConfigured?.(values) === true;
}

/** Whether numbered sets of its settings name more destinations of the kind. */
export function isRepeated(part: PartSettings): boolean {
  return REPEATED.includes(part);
}

/** The declared settings by key, and what may be written for them. */
export interface Catalogue {
  readonly settings: readonly Setting[];
  find(key: string): Setting | undefined;
  /** The setting that `KEY_FILE` reads from a file; undefined where `KEY_FILE` is a setting of its own. */
  findByFileKey(key: string): Setting | undefined;
}

export function createCatalogue(parts: readonly PartSettings[] = PARTS): Catalogue {
  const settings = parts.flatMap((part) => part.settings);
  const byKey = new Map(settings.map((setting) => [setting.key, setting]));
  return {
    settings,
    find: (key) => byKey.get(key),
    findByFileKey: (key) =>
      key.endsWith("_FILE") && !byKey.has(key) ? byKey.get(key.slice(0, -"_FILE".length)) : undefined,
  };
}

/** `KEY_FILE` for a setting, or undefined where that name is taken by another setting. */
export function fileKeyOf(setting: Setting, catalogue: Catalogue): string | undefined {
  const key = `${setting.key}_FILE`;
  return catalogue.find(key) === undefined ? key : undefined;
}
