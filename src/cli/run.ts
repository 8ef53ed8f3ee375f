import { hostname } from "node:os";
import { plainSettings } from "../config/parts.ts";
import { systemClock } from "../lib/clock.ts";
import { BadConfig } from "./bad-config.ts";
import { EXIT_BY_KILL } from "./exit-codes.ts";
import type { Command, CommandContext } from "./command.ts";
import { tellBroken } from "./tell-broken.ts";
import { surviveStrayFailures } from "./stray-failures.ts";
import { chooseJobs, loadForCommand, sayProblems, type Setup } from "./setup.ts";

const EXIT_FAILED = 1;
const EXIT_BAD_CONFIG = 5;

export const runCommand: Command = {
  usage: "run [job…] [--json]",
  summary: "run jobs now and wait for them",
  help: `Runs the named jobs (all of them when none is named) one after another and waits for their end. The exit code is
the worst of theirs: 0 success, 1 failed or interrupted, 3 partly succeeded, 4 locked, 5 bad configuration.

  --json   print each run's report as a line of JSON on standard output; the log goes to standard error`,
  options: { json: { type: "boolean" } },
  positionals: { min: 0, max: 100 },
  async run(args, context) {
    const setup = await loadForCommand(context, { logToStderr: args.flag("json") });
    return runJobs(setup, args.positionals, context, args.flag("json"));
  },
};

export async function runJobs(
  setup: Setup,
  names: readonly string[],
  context: CommandContext,
  json = false,
): Promise<number> {
  const { loaded, log, options, redact } = setup;
  const { jobs, broken } = chooseJobs(loaded, names);
  sayProblems(setup);
  const telling = {
    options,
    host: hostname(),
    version: context.version,
    clock: systemClock,
    log,
    settings: plainSettings(),
    redact,
    signal: context.signal,
  };
  // Who sits at a terminal reads it there.
  if (!process.stderr.isTTY) await tellBroken(setup, broken, telling);
  if (jobs.length === 0) throw new BadConfig();
  const { runJob } = await import("../run/run.ts");
  const { exitCodeOf, worstExitCode } = await import("../run/status.ts");
  const { tendAfterRun } = await import("../run/tend.ts");
  const { waitingRun } = await import("../run/later-delivery.ts");
  const { openRuntime } = await import("../state/runtime.ts");
  const endOfStrays = surviveStrayFailures(log);
  const codes = broken.map(() => EXIT_BAD_CONFIG);
  for (const job of jobs) {
    if (context.signal.aborted) {
      log.warn("stopped before its run began", { job: job.name });
      codes.push(EXIT_FAILED);
      continue;
    }
    const tellContext = { ...telling, log: log.with({ job: job.name }) };
    const { report, locked, isStuck } = await runJob({
      ...tellContext,
      job,
      allJobs: loaded.jobs,
      trigger: "manual",
      firedAtMs: systemClock.now(),
      logTail: setup.logTail,
      terminal: process.stderr.isTTY ? process.stderr : undefined,
      alreadySaid: new Set(),
    });
    const tendAtMs = await tendAfterRun(job, report, tellContext);
    // Nobody but a daemon comes back to what waits.
    if (tendAtMs !== undefined || waitingRun([report]) !== undefined)
      openRuntime({ stateDir: options.stateDir }).announceLeftovers();
    if (json) context.output.print(JSON.stringify(report));
    if (isStuck) return EXIT_BY_KILL;
    codes.push(exitCodeOf(report.status === "running" ? "failed" : report.status, locked));
  }
  endOfStrays();
  return worstExitCode(codes);
}
