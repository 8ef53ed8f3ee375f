import { UserError, messageOf } from "../lib/errors.ts";
import type { Setting } from "../contracts/setting.ts";
import { fileKeyOf, type Catalogue } from "./parts.ts";
import type { Problem } from "./problem.ts";
import { readSmallFile, secretText } from "./read-file.ts";
import { secretsIn } from "./secrets.ts";

/** Where a value comes from, for `print-config` and messages. */
export type ValueOrigin =
  | { readonly kind: "file"; readonly path: string; readonly line: number }
  | { readonly kind: "environment" }
  | { readonly kind: "key-file"; readonly key: string; readonly path: string };

export interface RawValue {
  readonly text: string;
  readonly origin: ValueOrigin;
  readonly line?: number;
}

/** One source of settings: a config file, or the process environment. */
export interface Layer {
  /** Path of the config file; absent for the environment. */
  readonly file?: string;
  /** By setting. A setting that the layer names but fails to give is in `failed` instead. */
  readonly values: ReadonlyMap<string, RawValue>;
  readonly failed: ReadonlyMap<string, Problem>;
  readonly secrets: readonly string[];
  /** `KEY_FILE` targets, whether they could be read or not: a change of one is a change of the configuration. */
  readonly paths: readonly string[];
}

export type Pairs = ReadonlyMap<string, { readonly value: string; readonly line?: number }>;

/** Reads `KEY` and `KEY_FILE` of every declared setting out of one source. */
export function readLayer(pairs: Pairs, catalogue: Catalogue, file?: string): Layer {
  const values = new Map<string, RawValue>();
  const failed = new Map<string, Problem>();
  const secrets = new Set<string>();
  const paths: string[] = [];
  const learn = (setting: Setting, text: string): void => {
    for (const secret of secretsIn(setting, text)) secrets.add(secret);
  };
  const place = file === undefined ? {} : { file };

  for (const setting of catalogue.settings) {
    const direct = pairs.get(setting.key);
    const fileKey = fileKeyOf(setting, catalogue);
    const viaFile = fileKey === undefined ? undefined : pairs.get(fileKey);
    if (direct !== undefined) learn(setting, direct.value);

    // An empty line of the two is a line that a panel left blank; the other one counts.
    if (fileKey !== undefined && viaFile !== undefined && viaFile.value !== "") {
      const at = viaFile.line === undefined ? place : { ...place, line: viaFile.line };
      paths.push(viaFile.value);
      const content = readKeyFile(viaFile.value);
      if (content.text !== undefined) learn(setting, content.text);
      // Perhaps the secret itself was written where its file's path belongs.
      else if (setting.secret === true) secrets.add(viaFile.value);
      if (direct !== undefined && direct.value !== "") {
        failed.set(setting.key, {
          severity: "error",
          ...at,
          key: fileKey,
          message: `${setting.key} is set too; only one of the two can count, so remove the other`,
        });
      } else if (content.text === undefined) {
        failed.set(setting.key, {
          severity: "error",
          ...at,
          key: fileKey,
          message: `can't read the file that it names: ${content.reason}`,
        });
      } else {
        values.set(
          setting.key,
          rawValue(content.text, { kind: "key-file", key: fileKey, path: viaFile.value }, viaFile.line),
        );
      }
      continue;
    }
    const given = direct ?? viaFile;
    if (given === undefined) continue;
    values.set(setting.key, rawValue(given.value, originOf(file, given.line), given.line));
  }
  return { ...place, values, failed, secrets: [...secrets], paths };
}

/** The layer that speaks about a setting: what a file says, good or bad, replaces all that the environment says. */
export function layerOf(setting: Setting, file: Layer | undefined, environment: Layer): Layer {
  return file !== undefined && (file.values.has(setting.key) || file.failed.has(setting.key)) ? file : environment;
}

function rawValue(text: string, origin: ValueOrigin, line: number | undefined): RawValue {
  return line === undefined ? { text, origin } : { text, origin, line };
}

function originOf(file: string | undefined, line: number | undefined): ValueOrigin {
  return file === undefined || line === undefined ? { kind: "environment" } : { kind: "file", path: file, line };
}

function readKeyFile(
  path: string,
): { readonly text: string; readonly reason?: never } | { readonly text?: never; readonly reason: string } {
  try {
    return { text: secretText(readSmallFile(path)) };
  } catch (error) {
    return { reason: error instanceof UserError ? error.message : messageOf(error) };
  }
}
