import type { Log } from "../contracts/log.ts";
import type { SerializedJob } from "../contracts/serialized-job.ts";
import type { LoadedConfig, LoadedJob } from "../config/load.ts";
import { firstRunning, mergeReload, type ReloadMessage, type RunningConfig } from "../config/reload.ts";
import { describeProblems } from "../config/describe.ts";
import { abridged } from "../config/problem.ts";
import { DEFAULT_FOLDERS } from "../config/sources.ts";
import { watchFolder } from "../config/watch.ts";
import { messageOf } from "../lib/errors.ts";

export interface ReloadOptions {
  readonly loaded: LoadedConfig;
  reload(folderInUse: string | undefined): Promise<LoadedConfig>;
  onHangUp(act: () => void): void;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** What must not be shown from now on; called before anything about the change is said. */
  onSecrets(secrets: ReadonlySet<string>): void;
  onJobs(jobs: readonly LoadedJob[]): void;
  /** A job whose configuration is broken, with what is wrong; once for each content. */
  onBroken(job: string, problems: readonly string[], readable: SerializedJob | undefined): void;
}

/** Follows the config folder. A change replaces the jobs; a broken file keeps its job's last good version, and is said. */
export function watchConfig(options: ReloadOptions): void {
  const { loaded, log, signal } = options;
  let running: RunningConfig = firstRunning(loaded);
  let { folder, watched } = loaded;
  let shown = warningsOf(loaded);

  const change = async (): Promise<void> => {
    try {
      const next = await options.reload(folder);
      if (signal.aborted) return;
      running = mergeReload(running, next);
      ({ folder, watched } = next);
      options.onSecrets(running.secrets);
      for (const message of running.messages) say(message, next, options);
      const warnings = warningsOf(next);
      for (const line of warnings) if (!shown.has(line)) log.warn(line);
      shown = warnings;
      if (running.jobsChanged) options.onJobs(running.jobs);
    } catch (thrown) {
      log.error(`reading the configuration again failed, the jobs stay as they were: ${messageOf(thrown)}`);
    }
  };
  let last: Promise<void> = Promise.resolve();
  const readAgain = (): void => {
    last = last.then(change);
  };
  options.onHangUp(() => {
    log.info("reading the configuration again, as SIGHUP asks");
    readAgain();
  });
  watchFolder({
    // Where the environment is the job, a default folder that gets its first file takes over.
    folder: loaded.folder ?? DEFAULT_FOLDERS[0] ?? "/config",
    signal,
    extraPaths: () => watched,
    onChange: readAgain,
  });
}

function say(
  { level, job, text, problems }: ReloadMessage,
  { broken }: LoadedConfig,
  { log, onBroken }: ReloadOptions,
): void {
  const about = job === undefined ? log : log.with({ job });
  about[level](text);
  for (const line of problems ?? []) about.error(line);
  if (job === undefined || problems === undefined) return;
  onBroken(job, problems, broken.find(({ name }) => name === job)?.readable);
}

function warningsOf(loaded: LoadedConfig): ReadonlySet<string> {
  return new Set(describeProblems(abridged(loaded.problems.filter(({ severity }) => severity === "warning"))));
}
