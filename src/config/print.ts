import type { PartSettings, Setting } from "../contracts/setting.ts";
import { printablePath } from "../lib/printable.ts";
import type { ValueOrigin } from "./layer.ts";
import type { BrokenJob, LoadedConfig, LoadedJob } from "./load.ts";
import { PARTS } from "./parts.ts";
import { showValue } from "./show.ts";

/** A setting of a job, fit for eyes: no secret in it. */
export interface ShownSetting {
  readonly key: string;
  /** As it would be written in an env file; `***` for a secret; null where it is not set. */
  readonly value: string | null;
  /** `/config/site.env:3`, `environment`, `AWS_SECRET_ACCESS_KEY_FILE: /run/secrets/key` or `default`. */
  readonly source: string;
}

export interface ShownJob {
  readonly job: string;
  /** Its file; null for the environment's job. */
  readonly file: string | null;
  readonly settings: readonly ShownSetting[];
}

export interface ShownConfig {
  readonly source: "folder" | "environment";
  readonly folder: string | null;
  readonly jobs: readonly ShownJob[];
  readonly broken: readonly { readonly job: string; readonly file: string | null }[];
}

/** For programs. All jobs, or those that are named. */
export function configAsJson(loaded: LoadedConfig, names: readonly string[] = []): ShownConfig {
  const isWanted = ({ name }: { readonly name: string }): boolean => names.length === 0 || names.includes(name);
  return {
    source: loaded.source,
    folder: loaded.folder ?? null,
    jobs: loaded.jobs.filter(isWanted).map(showJob),
    broken: loaded.broken.filter(isWanted).map(({ name, path }: BrokenJob) => ({ job: name, file: path ?? null })),
  };
}

/** For people: per job one line a setting, `KEY=value  # source`. */
export function printConfig(loaded: LoadedConfig, names: readonly string[] = []): string {
  const shown = configAsJson(loaded, names);
  const lines = [`# configuration: ${shown.folder === null ? "process environment" : printablePath(shown.folder)}`];
  for (const { job, file, settings } of shown.jobs) {
    lines.push("", `# job ${printablePath(job)}${file === null ? "" : ` (${printablePath(file)})`}`);
    lines.push(...settings.map(settingLine));
  }
  for (const { job, file } of shown.broken) {
    lines.push(
      "",
      `# job ${printablePath(job)}${file === null ? "" : ` (${printablePath(file)})`} is broken and does not run`,
    );
  }
  return `${lines.join("\n")}\n`;
}

function settingLine({ key, value, source }: ShownSetting): string {
  return value === null ? `${key} is not set` : `${key}=${printablePath(value)}  # ${printablePath(source)}`;
}

function showJob(job: LoadedJob): ShownJob {
  const settings = PARTS.filter((part) => isShown(part, job)).flatMap((part) => part.settings);
  return {
    job: job.name,
    file: job.origin.kind === "file" ? job.origin.path : null,
    settings: settings.map((setting) => showSetting(setting, job)),
  };
}

/** Of the numbered sets only those that the job uses. */
function isShown({ original, settings }: PartSettings, { raw }: LoadedJob): boolean {
  return original === undefined || settings.some(({ key }) => Object.hasOwn(raw, key));
}

function showSetting(setting: Setting, { raw, origins }: LoadedJob): ShownSetting {
  const { key } = setting;
  const origin = origins.get(key);
  if (origin === undefined || !Object.hasOwn(raw, key))
    return { key, value: setting.default ?? null, source: "default" };
  return { key, value: showValue(setting, raw[key] ?? ""), source: describeOrigin(origin) };
}

function describeOrigin(origin: ValueOrigin): string {
  switch (origin.kind) {
    case "file":
      return `${origin.path}:${origin.line}`;
    case "environment":
      return "environment";
    case "key-file":
      return `${origin.key}: ${origin.path}`;
  }
}
