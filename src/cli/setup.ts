import type { Job } from "../contracts/job.ts";
import type { Log } from "../contracts/log.ts";
import type { ProcessOptions } from "../contracts/task.ts";
import { describeErrors, describeProblems } from "../config/describe.ts";
import { loadConfig, type LoadedConfig } from "../config/load.ts";
import { abridged } from "../config/problem.ts";
import { processSettings } from "../config/process.ts";
import { createLogTail, type LogTail } from "../lib/log-tail.ts";
import { createLog } from "../lib/log.ts";
import { createRedactor, type Redactor } from "../lib/redact.ts";
import { BadConfig } from "./bad-config.ts";
import { UsageError } from "./arguments.ts";
import type { CommandContext } from "./command.ts";

/** Configuration, log and redaction, as every command needs them. */
export interface Setup {
  readonly loaded: LoadedConfig;
  readonly options: ProcessOptions;
  readonly log: Log;
  /** What the log last said. */
  readonly logTail: LogTail;
  readonly redact: Redactor;
  /** From now on these are redacted, in the log as well. */
  useSecrets(secrets: ReadonlySet<string>): void;
}

export interface SetupOptions {
  /** The `backup` command runs the environment alone. */
  readonly ignoreFolder?: boolean;
  /** Standard output is for the answer. */
  readonly logToStderr?: boolean;
}

/** Reads the configuration; problems go to the log of the returned setup's caller. Process-wide mistakes end here. */
export async function loadForCommand(context: CommandContext, options: SetupOptions = {}): Promise<Setup> {
  const settings = processSettings(context.environment);
  const loaded = await loadConfig({ environment: context.environment, ignoreFolder: options.ignoreFolder ?? false });
  let redactor = createRedactor(loaded.secrets);
  const redact: Redactor = (text) => redactor(text);
  if (settings.problems.length > 0) {
    for (const line of describeProblems(settings.problems)) context.output.remark(redact(line));
    throw new BadConfig();
  }
  const logTail = createLogTail();
  const log = createLog({
    format: settings.options.logFormat,
    level: settings.options.logLevel,
    onLine: logTail.add,
    redact,
    fd: options.logToStderr === true ? 2 : 1,
  });
  return {
    loaded,
    options: settings.options,
    log,
    logTail,
    redact,
    useSecrets(secrets) {
      redactor = createRedactor(secrets);
    },
  };
}

/** Says every problem once: errors and warnings in the log, notes only where `check` shows them. */
export function sayProblems({ loaded, log }: Setup): void {
  for (const problem of abridged(loaded.problems)) {
    const [line = ""] = describeProblems([problem]);
    if (problem.severity === "error") log.error(line);
    else if (problem.severity === "warning") log.warn(line);
    else log.debug(line);
  }
}

/** What keeps jobs from running, where only that matters. */
export function sayErrors({ loaded, log }: Setup): void {
  for (const line of describeErrors(loaded.problems)) log.error(line);
}

/** The jobs of these names, all when none is named. An unknown name is wrong usage; a broken one is bad configuration. */
export function chooseJobs(
  loaded: LoadedConfig,
  names: readonly string[],
): { jobs: readonly Job[]; broken: readonly string[] } {
  const brokenNames = loaded.broken.map((entry) => entry.name);
  if (names.length === 0) return { jobs: loaded.jobs, broken: brokenNames };
  const known = new Map(loaded.jobs.map((job) => [job.name, job]));
  const jobs: Job[] = [];
  const broken: string[] = [];
  for (const name of new Set(names)) {
    const job = known.get(name);
    if (job !== undefined) jobs.push(job);
    else if (brokenNames.includes(name)) broken.push(name);
    else {
      const all = [...known.keys(), ...brokenNames].join(", ");
      throw new UsageError(`no job is called ${name}; there ${known.size === 1 ? "is" : "are"}: ${all || "none"}`);
    }
  }
  return { jobs, broken };
}
