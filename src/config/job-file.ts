import { messageOf, UserError } from "../lib/errors.ts";
import { parseEnvFile, type EnvFile } from "./env-file.ts";
import { fingerprint } from "./fingerprint.ts";
import { readLayer, type Layer } from "./layer.ts";
import { misspeltKeys, secretsUnderMisspeltKeys } from "./misspelt.ts";
import type { Catalogue } from "./parts.ts";
import type { Problem } from "./problem.ts";
import { readSmallFile } from "./read-file.ts";

export interface JobFileContent {
  readonly layer: Layer;
  /** Its pairs, declared or not. */
  readonly environment: Readonly<Record<string, string>>;
  readonly problems: readonly Problem[];
  readonly readable: boolean;
  readonly fingerprint: string;
}

/** Reads one config file. An unreadable one gives an empty layer and an error. */
export function readJobFile(
  path: string,
  processEnvironment: Readonly<Record<string, string>>,
  catalogue: Catalogue,
): JobFileContent {
  let bytes: Buffer;
  try {
    bytes = readSmallFile(path);
  } catch (error) {
    const why = error instanceof UserError ? error.message : messageOf(error);
    return {
      layer: readLayer(new Map(), catalogue, path),
      environment: {},
      problems: [{ severity: "error", file: path, message: `the file can't be read: ${why}` }],
      readable: false,
      fingerprint: "",
    };
  }
  const parsed = parseEnvFile(bytes, processEnvironment);
  const layer = readLayer(parsed.pairs, catalogue, path);
  const environment: Record<string, string> = {};
  for (const [key, { value }] of parsed.pairs) environment[key] = value;
  return {
    layer: { ...layer, secrets: [...layer.secrets, ...secretsUnderMisspeltKeys(parsed.pairs, catalogue)] },
    environment,
    problems: [
      ...parsed.problems.map(({ line, key, message }): Problem => ({
        severity: "error",
        file: path,
        line,
        message,
        ...(key === undefined ? {} : { key }),
      })),
      ...parsed.repeated.map(({ key, line }): Problem => ({
        severity: "warning",
        file: path,
        line,
        key,
        message: "is set more than once in this file; the last one counts",
      })),
      ...unsetVariables(parsed, path, catalogue),
      ...swallowedSettings(parsed, path, catalogue),
      ...misspeltKeys(parsed.pairs, catalogue, path),
    ],
    readable: true,
    fingerprint: fingerprint(bytes),
  };
}

/** A line inside a quoted value that sets a setting: the quote was meant to end before. */
function swallowedSettings({ pairs }: EnvFile, file: string, catalogue: Catalogue): Problem[] {
  const problems: Problem[] = [];
  for (const [key, { value, line }] of pairs) {
    if (!value.includes("\n")) continue;
    const inside = value
      .split("\n")
      .slice(1)
      .map((text) => ASSIGNMENT.exec(text)?.[1] ?? "");
    const swallowed = inside.find(
      (name) => catalogue.find(name) !== undefined || catalogue.findByFileKey(name) !== undefined,
    );
    if (swallowed === undefined) continue;
    problems.push({
      severity: "error",
      file,
      line,
      key,
      message: `its quoted value runs over the line that sets ${swallowed}; a quote is missing or one too many`,
    });
  }
  return problems;
}

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?([A-Z][A-Z0-9_]*)[ \t]*[=:]/;

/** In a secret the "name" is a piece of the secret itself, so it is not named. */
function unsetVariables({ unset, pairs }: EnvFile, file: string, catalogue: Catalogue): Problem[] {
  return unset.map(({ name, key, line }): Problem => {
    const setting = catalogue.find(key) ?? catalogue.findByFileKey(key);
    const place = { severity: "warning", file, line, key } as const;
    if (setting?.secret === true)
      return {
        ...place,
        message: "a $ in it begins a variable that is not set, which became nothing; write a secret in single quotes",
      };
    // On a later line of a value over several lines it may belong to a secret that a missing quote made part of it.
    const mayBeNamed = setting !== undefined && setting.kind !== "url" && pairs.get(key)?.line === line;
    const shown = mayBeNamed ? `$${name}` : "a variable in it";
    const setAtLine = pairs.get(name)?.line;
    const message =
      setAtLine !== undefined && setAtLine > line
        ? `${shown} became nothing: line ${setAtLine} sets it, which comes too late; move that line up`
        : `${shown} is not set and became nothing; for a plain $ use single quotes`;
    return { ...place, message };
  });
}
