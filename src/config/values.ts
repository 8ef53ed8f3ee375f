import type { Kind, Kinds, Setting, Values, WithDefault } from "../contracts/setting.ts";
import { readValue } from "./kinds.ts";

/**
 * Reads settings out of raw texts that were found good before. Nothing is kept parsed: a daemon with many jobs stays
 * small, and reading again is cheap.
 */
export function createValues(raw: Readonly<Record<string, string>>): Values {
  function get<K extends Kind>(setting: WithDefault<K>): Kinds[K];
  function get<K extends Kind>(setting: Setting<K>): Kinds[K] | undefined;
  function get<K extends Kind>(setting: Setting<K>): Kinds[K] | undefined {
    const text = Object.hasOwn(raw, setting.key) ? raw[setting.key] : undefined;
    if (text !== undefined) return readValue(setting, text);
    return setting.default === undefined ? undefined : readValue(setting, setting.default);
  }
  return { get, isSet: ({ key }) => Object.hasOwn(raw, key) && raw[key] !== "" };
}
