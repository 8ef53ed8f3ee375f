import { fileURLToPath } from "node:url";
import { loadConfig } from "../config/load.ts";
import { runDaemon } from "../daemon/daemon.ts";
import { BadConfig } from "./bad-config.ts";
import type { Command, CommandContext } from "./command.ts";
import { loadForCommand, sayProblems } from "./setup.ts";

export const daemonCommand: Command = {
  usage: "daemon",
  summary: "run the jobs on their schedules until stopped",
  help: `Runs every job of the config folder (or of the environment) on its schedule, picks up changes of the configuration
within 5 seconds, and stops on SIGTERM: a run that is going on is ended, recorded as interrupted, and leaves nothing half
written.`,
  options: {},
  positionals: { min: 0, max: 0 },
  run: (_args, context) => daemon(context),
};

export async function daemon(context: CommandContext): Promise<number> {
  // Until the configuration is watched it is being read anyway.
  context.onHangUp(() => undefined);
  const setup = await loadForCommand(context);
  const { loaded, log, options } = setup;
  log.info(`lifeboat ${context.version} starts`, {
    config: loaded.folder ?? "environment",
    jobs: loaded.jobs.length,
    state: options.stateDir,
  });
  sayProblems(setup);
  // With a folder the daemon stays and watches, even if no file is usable yet; nothing can change the environment.
  if (loaded.source === "environment" && loaded.jobs.length === 0) {
    if (!loaded.problems.some((problem) => problem.severity === "error")) log.error("there is no job to run");
    throw new BadConfig();
  }
  return runDaemon({
    loaded,
    reload: (folderInUse) => loadConfig({ environment: context.environment, folderInUse }),
    onHangUp: context.onHangUp,
    onSecrets: setup.useSecrets,
    process: options,
    log,
    version: context.version,
    entry: entryFile(),
    signal: context.signal,
  });
}

/** The file that Node was started with: what children run, too. */
function entryFile(): string {
  return process.argv[1] ?? fileURLToPath(import.meta.url);
}
