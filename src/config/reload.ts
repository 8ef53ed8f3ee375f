import { describeErrors, describeProblems } from "./describe.ts";
import type { BrokenJob, LoadedConfig, LoadedJob } from "./load.ts";
import { secretsOf } from "./serialize.ts";

/** What the daemon runs: the configuration as it was read, but for broken jobs, which go on as they last were good. */
export interface RunningConfig {
  readonly jobs: readonly LoadedJob[];
  /** Names of the jobs that run as they last were good, because what is there now is broken. */
  readonly kept: readonly string[];
  /** Whether anything about `jobs` differs from before. Unchanged jobs are the same objects as before. */
  readonly jobsChanged: boolean;
  /** All that must not be shown: of the new configuration, and of the versions that are kept. */
  readonly secrets: ReadonlySet<string>;
  /** What to say about this change; nothing that was said before. */
  readonly messages: readonly ReloadMessage[];
  /** What was said about broken jobs, by name and path, to say it once. */
  readonly said: ReadonlyMap<string, string>;
}

export interface ReloadMessage {
  readonly level: "info" | "error";
  readonly job?: string;
  readonly text: string;
  /** For a broken job: what is wrong with it, one line each. */
  readonly problems?: readonly string[];
}

/** The configuration at start. Its problems are said by whoever loaded it. */
export function firstRunning(loaded: LoadedConfig): RunningConfig {
  return {
    jobs: loaded.jobs,
    kept: [],
    jobsChanged: true,
    secrets: loaded.secrets,
    messages: [],
    said: saidAbout(loaded),
  };
}

/**
 * What to run after a change. A broken file keeps its job's last good version; a removed file removes its job; while the
 * folder itself can't be read, all jobs stay.
 */
export function mergeReload(previous: RunningConfig, next: LoadedConfig): RunningConfig {
  const before = new Map(previous.jobs.map((job) => [job.name, job]));
  const fresh = new Map(next.jobs.map((job) => [job.name, job]));
  const kept = next.complete
    ? next.broken.filter(({ name }) => before.has(name) && !fresh.has(name)).map(({ name }) => name)
    : [...before.keys()];
  const names = new Set([...fresh.keys(), ...kept]);
  const jobs = [...names].toSorted(byteOrder).flatMap((name) => currentJob(before.get(name), fresh.get(name)));
  const jobsChanged = jobs.length !== previous.jobs.length || jobs.some((job, index) => job !== previous.jobs[index]);
  const said = saidAbout(next);
  const messages = [
    ...brokenMessages(next, previous, new Set(kept)),
    ...folderMessages(next, previous.said),
    ...changes(before, fresh, names),
    ...repaired(previous, before, fresh),
  ];
  const secrets = new Set(next.secrets);
  for (const job of jobs) if (!fresh.has(job.name)) for (const secret of secretsOf(job)) secrets.add(secret);
  return { jobs, kept: [...new Set(kept)], jobsChanged, secrets, messages, said };
}

const FOLDER = "";

function saidAbout(loaded: LoadedConfig): ReadonlyMap<string, string> {
  const said = new Map(loaded.broken.map((broken) => [identityOf(broken), broken.fingerprint]));
  if (!loaded.complete || loaded.jobs.length + loaded.broken.length === 0) said.set(FOLDER, folderText(loaded));
  return said;
}

function identityOf({ name, path }: BrokenJob): string {
  return JSON.stringify([name, path]);
}

function folderText(loaded: LoadedConfig): string {
  return describeProblems(
    loaded.problems.filter(({ severity, file }) => severity === "error" && file === loaded.folder),
  ).join("; ");
}

function brokenMessages(next: LoadedConfig, previous: RunningConfig, kept: ReadonlySet<string>): ReloadMessage[] {
  return next.broken
    .filter((broken) => previous.said.get(identityOf(broken)) !== broken.fingerprint)
    .map((broken) => ({
      level: "error",
      job: broken.name,
      text: kept.has(broken.name)
        ? "its configuration is broken; the last good version stays in use"
        : "its configuration is broken; the job does not run",
      problems: describeErrors(broken.problems),
    }));
}

function folderMessages(next: LoadedConfig, said: ReadonlyMap<string, string>): ReloadMessage[] {
  if (next.complete && next.jobs.length + next.broken.length > 0) return [];
  const text = folderText(next);
  if (said.get(FOLDER) === text) return [];
  return [{ level: "error", text: next.complete ? text : `${text}; the jobs stay as they were` }];
}

function changes(
  before: ReadonlyMap<string, LoadedJob>,
  fresh: ReadonlyMap<string, LoadedJob>,
  names: ReadonlySet<string>,
): ReloadMessage[] {
  const messages: ReloadMessage[] = [];
  for (const [name, job] of fresh) {
    const old = before.get(name);
    if (old === undefined) messages.push({ level: "info", job: name, text: "new job" });
    else if (!sameJob(old, job)) messages.push({ level: "info", job: name, text: "its configuration has changed" });
  }
  for (const name of before.keys())
    if (!names.has(name)) messages.push({ level: "info", job: name, text: "the job was removed" });
  return messages;
}

/** A repair that only brings back what ran all the time changes nothing, but who made it wants to know. */
function repaired(
  { kept, said }: RunningConfig,
  before: ReadonlyMap<string, LoadedJob>,
  fresh: ReadonlyMap<string, LoadedJob>,
): ReloadMessage[] {
  if (said.has(FOLDER) && kept.length > 0 && fresh.size > 0)
    return [{ level: "info", text: "the config folder can be read again" }];
  return kept.flatMap((name): ReloadMessage[] => {
    const [old, now] = [before.get(name), fresh.get(name)];
    const isBack = old !== undefined && now !== undefined && sameJob(old, now);
    return isBack ? [{ level: "info", job: name, text: "its configuration is good again" }] : [];
  });
}

/** What the job is now. One that reads the same stays the same object; where it was found may have changed lines. */
function currentJob(old: LoadedJob | undefined, fresh: LoadedJob | undefined): readonly LoadedJob[] {
  const job = fresh !== undefined && old !== undefined && sameJob(old, fresh) ? old : (fresh ?? old);
  return job === undefined ? [] : [job];
}

function sameJob(a: LoadedJob, b: LoadedJob): boolean {
  return sameTexts(a.raw, b.raw) && sameTexts(a.environment, b.environment);
}

function sameTexts(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key]);
}

function byteOrder(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
