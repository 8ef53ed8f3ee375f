import { parseBool } from "../golang/bool.ts";
import { BACKUP_JITTER } from "../schedule/settings.ts";
import { formatSpan } from "../lib/bytes.ts";
import { sleep } from "../lib/clock.ts";
import { UsageError } from "./arguments.ts";
import type { CommandContext } from "./command.ts";
import { daemon } from "./daemon.ts";
import { printConfig } from "./print-config.ts";
import { runJobs } from "./run.ts";
import { loadForCommand } from "./setup.ts";

const HELP = `usage: backup                     one run, from the environment alone (the config folder is ignored)
       backup -foreground         run on the schedule until stopped
       backup print-config        print the configuration, secrets masked

The commands of the image that Lifeboat replaces. See lifeboat --help for everything else.`;

/** Go's flag package: one dash or two, `=value` for booleans. */
export async function backup(argv: readonly string[], context: CommandContext): Promise<number> {
  let foreground = false;
  for (let at = 0; at < argv.length; at += 1) {
    const argument = argv[at] ?? "";
    if (argument === "--" && at === argv.length - 1) break;
    const flag = /^--?([a-z]+)(?:=(.*))?$/.exec(argument);
    if (argument === "print-config" && at < argv.length - 1)
      throw new UsageError(`print-config takes no arguments\n${HELP}`);
    if (argument === "print-config") return printConfig(context, { json: false, jobs: [] });
    if (argument === "--version" || argument === "-version") {
      context.output.print(context.version);
      return 0;
    }
    if (flag === null) throw new UsageError(`unknown command: ${argument}\n${HELP}`);
    const [, name, value] = flag;
    if (name === "h" || name === "help") {
      context.output.print(HELP);
      return 0;
    }
    if (name === "foreground") foreground = isOn(name, value);
    else if (name === "profile") {
      // A Go heap profile has no counterpart; the flag's schedule is taken and ignored so that such compose files start.
      if (value === undefined) at += 1;
      if (at >= argv.length) throw new UsageError(`flag needs an argument: -profile\n${HELP}`);
    } else throw new UsageError(`flag provided but not defined: -${name ?? ""}\n${HELP}`);
  }
  if (foreground) return daemon(context);
  // As in the image: a run by hand has no use for the schedule, so a wrong one is no reason not to run.
  const { BACKUP_CRON_EXPRESSION: _, BACKUP_CRON_EXPRESSION_FILE: __, ...environment } = context.environment;
  const setup = await loadForCommand({ ...context, environment }, { ignoreFolder: true });
  const [job] = setup.loaded.jobs;
  if (job !== undefined) {
    const jitterMs = Math.max(0, job.values.get(BACKUP_JITTER)) * Math.random();
    if (jitterMs > 0) {
      setup.log.info(`waiting for ${formatSpan(jitterMs)} (BACKUP_JITTER)`, { job: job.name });
      await sleep(jitterMs, context.signal);
    }
  }
  return runJobs(setup, [], context);
}

function isOn(name: string, value: string | undefined): boolean {
  const on = value === undefined ? true : parseBool(value);
  if (on === undefined) throw new UsageError(`invalid boolean value "${value ?? ""}" for -${name}\n${HELP}`);
  return on;
}
