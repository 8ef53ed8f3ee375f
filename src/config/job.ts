import type { Job, JobOrigin } from "../contracts/job.ts";
import type { SerializedJob } from "../contracts/serialized-job.ts";
import type { PartSettings, Setting } from "../contracts/setting.ts";
import { messageOf } from "../lib/errors.ts";
import { proveValue } from "./deep-checks.ts";
import type { FilenameContext } from "./filename.ts";
import { readValue } from "./kinds.ts";
import { layerOf, type Layer, type RawValue, type ValueOrigin } from "./layer.ts";
import { PARTS, type Catalogue } from "./parts.ts";
import type { Problem } from "./problem.ts";
import { brokenRules } from "./rules.ts";
import { quoteValue } from "./show.ts";
import { createValues } from "./values.ts";

/** `docker run --env-file` and YAML lists (`- KEY="value"`) hand quotes on, where a shell would take them off. */
const QUOTED = /^(["'])[^"']*\1$/;
const QUOTES_ARE_KEPT = "has quotes around it, which count as part of the value; leave them out";

/** A job together with where each of its values was found. */
export interface LoadedJob extends Job {
  /** By key; a key that is not here has its default. */
  readonly origins: ReadonlyMap<string, ValueOrigin>;
}

export interface JobInput {
  readonly name: string;
  readonly origin: JobOrigin;
  /** What its file says; absent for the environment's job. */
  readonly file: Layer | undefined;
  readonly environmentLayer: Layer;
  /** The process environment overlaid with the file's pairs. */
  readonly environment: Readonly<Record<string, string>>;
  readonly catalogue: Catalogue;
}

export interface BuiltJob {
  /** Absent where any problem is an error. */
  readonly job?: LoadedJob;
  readonly problems: readonly Problem[];
  /** Files that values were read from, besides `KEY_FILE` targets. */
  readonly paths: readonly string[];
  /** What can be read of it in any case: enough to tell the right people that the rest is wrong. */
  readonly readable: SerializedJob;
}

/** Resolves, validates and assembles one job; reports everything that is wrong with it at once. */
export async function buildJob(input: JobInput): Promise<BuiltJob> {
  const problems: Problem[] = [];
  const paths: string[] = [];
  const raw: Record<string, string> = {};
  const origins = new Map<string, ValueOrigin>();
  const context = filenameContext(input);

  for (const setting of input.catalogue.settings) {
    if (setting.processWide === true) {
      problems.push(...takeProcessWide(setting, input, raw, origins));
      continue;
    }
    const layer = layerOf(setting, input.file, input.environmentLayer);
    const failure = layer.failed.get(setting.key);
    if (failure !== undefined) problems.push(failure);
    const value = layer.values.get(setting.key);
    if (value === undefined) continue;
    const at = placeOf(setting, layer, value);
    const found = value.text === "" ? takeEmpty(setting) : await takeValue(setting, value, context);
    if (value.origin.kind === "environment" && QUOTED.test(value.text))
      problems.push({ ...at, severity: "warning", message: QUOTES_ARE_KEPT });
    problems.push(...found.problems.map((problem) => ({ ...at, ...problem })));
    if (found.path !== undefined) paths.push(found.path);
    if (found.text === undefined) continue;
    raw[setting.key] = found.text;
    origins.set(setting.key, value.origin);
  }

  const wrongKeys = new Set(problems.filter(({ severity }) => severity === "error").map(({ key }) => key ?? ""));
  for (const { key, severity, message } of brokenRules(PARTS, raw, wrongKeys)) {
    problems.push({ ...placeOfKey(key, origins), severity, key, message });
  }
  const { name, origin, environment } = input;
  if (problems.some(({ severity }) => severity === "error")) {
    const good = Object.fromEntries(Object.entries(raw).filter(([key]) => !wrongKeys.has(key)));
    return { problems, paths, readable: { name, origin, raw: good, environment } };
  }
  const readable = { name, origin, raw, environment };
  return { job: { ...readable, values: createValues(raw), origins }, problems, paths, readable };
}

interface Taken {
  readonly text?: string;
  readonly path?: string;
  readonly problems: readonly Pick<Problem, "severity" | "message">[];
}

function takeEmpty(setting: Setting): Taken {
  switch (setting.whenEmpty ?? "default") {
    case "error":
      return { problems: [{ severity: "error", message: "must not be empty" }] };
    case "value":
      return { text: "", problems: [] };
    case "default": {
      const meaning = setting.default === undefined ? "counts as not set" : `its default (${setting.default}) applies`;
      return { problems: [{ severity: "note", message: `is empty, so it ${meaning}`.replace("it its", "its") }] };
    }
  }
}

async function takeValue(setting: Setting, { text, origin }: RawValue, context: FilenameContext): Promise<Taken> {
  try {
    const proven = await proveValue(setting, text, context);
    const problems: Pick<Problem, "severity" | "message">[] = proven.warnings.map((message) => ({
      severity: "warning",
      message,
    }));
    if (setting.deprecated !== undefined && text !== setting.default) {
      problems.push({ severity: "note", message: `is deprecated: ${setting.deprecated}` });
    }
    return { text: proven.text, problems, ...(proven.path === undefined ? {} : { path: proven.path }) };
  } catch (error) {
    // What was read from a file may be any file's content, so it is not quoted.
    if (origin.kind === "key-file")
      return { problems: [{ severity: "error", message: withoutQuotation(setting, messageOf(error)) }] };
    return { problems: [{ severity: "error", message: `${messageOf(error)}${quoteValue(setting, text)}` }] };
  }
}

/** Parsers of schedules and expressions tell what they stumbled over, after a colon. */
function withoutQuotation({ kind }: Setting, message: string): string {
  return kind === "cron" || kind === "regexp" ? message.replace(/: .*$/s, "") : message;
}

/** Such a setting counts for the whole process; in a file it is out of place, wrong or not. */
function takeProcessWide(
  setting: Setting,
  input: JobInput,
  raw: Record<string, string>,
  origins: Map<string, ValueOrigin>,
): Problem[] {
  const value = input.environmentLayer.values.get(setting.key);
  if (value !== undefined && value.text !== "" && isGood(setting, value.text)) {
    raw[setting.key] = value.text;
    origins.set(setting.key, value.origin);
  }
  const { file } = input;
  const misplaced = file?.values.get(setting.key);
  if (file === undefined || (misplaced === undefined && !file.failed.has(setting.key))) return [];
  const at = misplaced === undefined ? { ...file.failed.get(setting.key) } : placeOf(setting, file, misplaced);
  return [
    {
      ...at,
      severity: "warning",
      key: setting.key,
      message: "is ignored here: it holds for the whole process, so set it in the container's environment",
    },
  ];
}

function isGood(setting: Setting, text: string): boolean {
  try {
    readValue(setting, text);
    return true;
  } catch {
    // Reported where the process-wide settings are read.
    return false;
  }
}

function placeOf(setting: Setting, layer: Layer, value: RawValue): Pick<Problem, "file" | "line" | "key"> {
  return {
    key: setting.key,
    ...(layer.file === undefined ? {} : { file: layer.file }),
    ...(value.line === undefined ? {} : { line: value.line }),
  };
}

function placeOfKey(key: string, origins: ReadonlyMap<string, ValueOrigin>): Pick<Problem, "file" | "line"> {
  const origin = origins.get(key);
  return origin?.kind === "file" ? { file: origin.path, line: origin.line } : {};
}

function filenameContext({ file, environmentLayer, environment, catalogue }: JobInput): FilenameContext {
  const setting = catalogue.find("BACKUP_FILENAME_EXPAND");
  const text =
    setting === undefined ? undefined : layerOf(setting, file, environmentLayer).values.get(setting.key)?.text;
  return {
    expand:
      setting !== undefined &&
      text !== undefined &&
      text !== "" &&
      isGood(setting, text) &&
      readValue(setting, text) === true,
    environment,
  };
}

/** Every part that stores archives somewhere. */
export function destinationParts(): readonly PartSettings[] {
  return PARTS.filter((part) => part.target !== undefined);
}
