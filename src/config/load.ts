import type { SerializedJob } from "../contracts/serialized-job.ts";
import { createRedactor } from "../lib/redact.ts";
import { chooseFolder } from "./folder.ts";
import { fingerprint } from "./fingerprint.ts";
import { buildJob, type LoadedJob } from "./job.ts";
import { readJobFile } from "./job-file.ts";
import { layerOf, readLayer, type Layer } from "./layer.ts";
import { overlaps } from "./overlap.ts";
import { createCatalogue, type Catalogue } from "./parts.ts";
import { distinct, inReadingOrder, type Problem } from "./problem.ts";
import type { JobFile } from "./sources.ts";
import { CONFIG_DIR } from "./settings.ts";
import { misspeltKeys } from "./misspelt.ts";

export type { LoadedJob } from "./job.ts";
export type { Problem } from "./problem.ts";

export interface LoadOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Instead of `CONFIG_DIR` and the default folders. */
  readonly configDir?: string;
  /** The folder that the jobs were last read from: if it is gone, they stay as they were, as with any unreadable folder. */
  readonly folderInUse?: string | undefined;
  /** The `backup` command: the environment is the job, whatever files there are. */
  readonly ignoreFolder?: boolean;
  /** For tests. */
  readonly defaultFolders?: readonly string[];
}

/** A job that can't run because of its configuration. */
export interface BrokenJob {
  readonly name: string;
  /** Its file; absent for the environment's job. */
  readonly path?: string;
  /** At least one error among them. */
  readonly problems: readonly Problem[];
  /** Changes with the file's content, so that the same content is complained about once. */
  readonly fingerprint: string;
  /** The values that are good, whom to tell among them. */
  readonly readable: SerializedJob;
}

export interface LoadedConfig {
  readonly source: "folder" | "environment";
  readonly folder?: string;
  /** False where the folder can't be read: then nothing is known about its jobs. */
  readonly complete: boolean;
  /** In the order of their files' names. */
  readonly jobs: readonly LoadedJob[];
  readonly broken: readonly BrokenJob[];
  /** All problems, those of the jobs included, in reading order. */
  readonly problems: readonly Problem[];
  /** Every secret value that was seen, of broken jobs and of the environment too. */
  readonly secrets: ReadonlySet<string>;
  /** Further paths that the configuration was read from: `KEY_FILE` targets, certificates, the default folders. */
  readonly watched: readonly string[];
}

/** Reads the whole configuration. Never throws and never shows a secret: what is wrong is among the problems. */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const catalogue = createCatalogue();
  const environment = withoutUndefined(options.environment);
  const pairs = new Map(Object.entries(environment).map(([key, value]) => [key, { value }]));
  const layer = readLayer(pairs, catalogue);
  const collected = collect(layer, misspeltKeys(pairs, catalogue));
  const shared: Shared = { catalogue, environment, layer };

  const named = options.configDir ?? namedFolder(layer);
  if (options.ignoreFolder === true)
    return collected.done({ source: "environment", complete: true }, [await environmentJob(shared)]);
  const choice = chooseFolder(layer, named, options);
  collected.add({ problems: choice.problems, paths: choice.watched });
  if (choice.listing === undefined)
    return collected.done({ source: "environment", complete: true }, [await environmentJob(shared)]);

  const { folder, files, problems, readable } = choice.listing;
  collected.add({ problems });
  const read: ReadJob[] = [];
  const names = countNames(files);
  for (const file of files) read.push(await fileJob(file, shared, (names.get(file.name) ?? 0) > 1));
  if (readable && read.every(({ job }) => job === undefined)) {
    const message =
      files.length === 0
        ? "the config folder holds no job: put a file with settings into it"
        : "no file of the config folder is usable";
    collected.add({ problems: [{ severity: "error", file: folder, message }] });
  }
  return collected.done({ source: "folder", folder, complete: readable }, read);
}

interface Shared {
  readonly catalogue: Catalogue;
  readonly environment: Readonly<Record<string, string>>;
  readonly layer: Layer;
}

interface ReadJob {
  readonly name: string;
  readonly path?: string;
  readonly job?: LoadedJob;
  readonly problems: readonly Problem[];
  readonly secrets: readonly string[];
  readonly paths: readonly string[];
  readonly fingerprint: string;
  readonly readable: SerializedJob;
}

async function environmentJob({ catalogue, environment, layer }: Shared): Promise<ReadJob> {
  const built = await buildJob({
    name: "default",
    origin: { kind: "environment" },
    file: undefined,
    environmentLayer: layer,
    environment,
    catalogue,
  });
  return { name: "default", ...built, problems: redacted(built.problems, layer.secrets), secrets: [], fingerprint: "" };
}

async function fileJob(
  { name, path }: JobFile,
  { catalogue, environment, layer }: Shared,
  isDouble: boolean,
): Promise<ReadJob> {
  const content = readJobFile(path, environment, catalogue);
  const found: Problem[] = [...content.problems];
  if (isDouble) {
    found.push({
      severity: "error",
      file: path,
      message: `another file gives the same job name, ${name}; rename or remove one of them`,
    });
  }
  const built = await buildJob({
    name,
    origin: { kind: "file", path },
    file: content.layer,
    environmentLayer: layer,
    environment: { ...environment, ...content.environment },
    catalogue,
  });
  // A file that can't be read says nothing; what its job would be with the environment alone is of no interest.
  const problems = redacted(content.readable ? [...found, ...built.problems] : found, [
    ...layer.secrets,
    ...content.layer.secrets,
  ]);
  const isBroken = problems.some(({ severity }) => severity === "error");
  const common = {
    name,
    path,
    problems,
    secrets: content.layer.secrets,
    paths: [...content.layer.paths, ...built.paths],
    fingerprint: content.fingerprint,
    readable: built.readable,
  };
  return isBroken || built.job === undefined ? common : { ...common, job: built.job };
}

/** Gathers what each step finds, and assembles the result. */
function collect(
  layer: Layer,
  first: readonly Problem[],
): {
  add(found: { readonly problems: readonly Problem[]; readonly paths?: readonly string[] }): void;
  done(base: Pick<LoadedConfig, "source" | "folder" | "complete">, read: readonly ReadJob[]): LoadedConfig;
} {
  let problems: readonly Problem[] = first;
  const secrets = new Set(layer.secrets);
  const watched = new Set(layer.paths);
  return {
    add(found) {
      problems = [...problems, ...found.problems];
      for (const path of found.paths ?? []) watched.add(path);
    },
    done(base, read) {
      for (const one of read) {
        for (const secret of one.secrets) secrets.add(secret);
        for (const path of one.paths) watched.add(path);
      }
      const jobs = read.flatMap(({ job }) => (job === undefined ? [] : [job]));
      problems = [...problems, ...read.flatMap((one) => one.problems), ...overlaps(jobs)];
      const broken = read.filter(({ job }) => job === undefined).map(brokenJob);
      return { ...base, jobs, broken, problems: inReadingOrder(distinct(problems)), secrets, watched: [...watched] };
    },
  };
}

function brokenJob({ name, path, problems, fingerprint: content, readable }: ReadJob): BrokenJob {
  const tag = `${content} ${fingerprint(Buffer.from(JSON.stringify(problems)))}`;
  return { name, problems, fingerprint: tag, readable, ...(path === undefined ? {} : { path }) };
}

function namedFolder(layer: Layer): string | undefined {
  const text = layerOf(CONFIG_DIR, undefined, layer).values.get(CONFIG_DIR.key)?.text;
  return text === "" ? undefined : text;
}

/** A value that is secret in one place may stand elsewhere as well, where a message would quote it. */
function redacted(problems: readonly Problem[], secrets: readonly string[]): Problem[] {
  if (problems.length === 0) return [];
  const redact = createRedactor(secrets);
  return problems.map((problem) => ({ ...problem, message: redact(problem.message) }));
}

function countNames(files: readonly JobFile[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { name } of files) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function withoutUndefined(environment: LoadOptions["environment"]): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [key, value] of Object.entries(environment)) if (value !== undefined) out[key] = value;
  return out;
}
