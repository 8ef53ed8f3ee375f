import type { Kind, Kinds, PartSettings, Setting, Values, WithDefault } from "../contracts/setting.ts";

/*
 * Several destinations of one kind: the plain settings are the first, and a number after their first word names more:
 * `AWS_S3_BUCKET_NAME`, `AWS_2_S3_BUCKET_NAME`, … Each number is a whole set of its own: what is not set has its default,
 * never the value of another set.
 */

export const NUMBERS: readonly number[] = [2, 3, 4, 5, 6, 7, 8, 9];

/** `SSH_HOST_NAME` -> `SSH_2_HOST_NAME`. */
export function numberedKey(key: string, number: number): string {
  return key.replace("_", `_${number}_`);
}

/** The declaration of the same settings for another destination of the kind. */
export function numberedPart(part: PartSettings, number: number): PartSettings {
  const rename = renamer(part, number);
  const { isConfigured, rules, target } = part;
  return {
    part: `${part.part}-${number}`,
    original: part.part,
    title: `${part.title} (${number})`,
    settings: part.settings.map((setting) => numberedSetting(setting, number, rename)),
    ...(part.notBuilt === undefined ? {} : { notBuilt: part.notBuilt }),
    ...(isConfigured && { isConfigured: (values) => isConfigured(numberedValues(values, part, number)) }),
    ...(target && { target: (values) => target(numberedValues(values, part, number)) }),
    ...(rules && {
      rules: (values) =>
        rules(numberedValues(values, part, number)).map(({ key, message, severity }) => ({
          key: rename(key),
          message: rename(message),
          severity,
        })),
    }),
  };
}

function numberedSetting(setting: Setting, number: number, rename: (text: string) => string): Setting {
  const { check } = setting;
  return {
    ...setting,
    key: numberedKey(setting.key, number),
    isNew: true,
    ...(check && {
      check: (value) => {
        const wrong = check(value);
        return wrong === undefined ? undefined : rename(wrong);
      },
    }),
  };
}

/** `values` as the code of a kind reads them, which knows only the plain settings. */
export function numberedValues(values: Values, part: PartSettings, number: number): Values {
  const own = new Set(part.settings.map(({ key }) => key));
  const keyOf = (key: string): string => (own.has(key) ? numberedKey(key, number) : key);
  function get<K extends Kind>(setting: WithDefault<K>): Kinds[K];
  function get<K extends Kind>(setting: Setting<K>): Kinds[K] | undefined;
  function get<K extends Kind>(setting: Setting<K>): Kinds[K] | undefined {
    return values.get({ ...setting, key: keyOf(setting.key) });
  }
  return { get, isSet: (setting) => values.isSet({ ...setting, key: keyOf(setting.key) }) };
}

/** Replaces the plain keys in a text: whoever reads it set the numbered ones. */
export function renamer(part: PartSettings, number: number): (text: string) => string {
  const plain = new RegExp(`\\b(?:${part.settings.map(({ key }) => key).join("|")})\\b`, "g");
  return (text) => text.replaceAll(plain, (key) => numberedKey(key, number));
}
