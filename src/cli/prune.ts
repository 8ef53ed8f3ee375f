import { hostname } from "node:os";
import { pruneDestination, pruneFailure } from "../delivery/prune.ts";
import { openJobDestinations } from "../run/job-destinations.ts";
import { systemClock } from "../lib/clock.ts";
import { formatBytes } from "../lib/bytes.ts";
import { messageOf, UserError } from "../lib/errors.ts";
import { isoTime, localIso } from "../lib/iso-time.ts";
import { closeAll } from "../run/delivery-phases.ts";
import { isSpared, retentionDecider, retentionIsConfigured } from "../run/retention-policy.ts";
import { LOCK_TIMEOUT } from "../run/settings.ts";
import { acquireLock, LockTimeout } from "../state/lock.ts";
import type { Destination } from "../contracts/destination.ts";
import type { Job } from "../contracts/job.ts";
import type { PruneReport } from "../contracts/run.ts";
import type { Command, CommandContext } from "./command.ts";
import { table } from "./output.ts";
import { chooseJobs, loadForCommand, sayProblems, type Setup } from "./setup.ts";
import { UsageError } from "./arguments.ts";
import { BadConfig } from "./bad-config.ts";

const EXIT_FAILED = 1;
const EXIT_LOCKED = 4;
const EXIT_BAD_CONFIG = 5;

export const pruneCommand: Command = {
  usage: "prune [job…] [--dry-run [--json]]",
  summary: "apply the retention rules",
  help: `Applies each job's retention rules to its archives. With --dry-run nothing is removed: every archive is listed with the
decision and its reason.

  --dry-run   only show what the rules decide
  --json      the decisions as a JSON array (with --dry-run)`,
  options: { "dry-run": { type: "boolean" }, json: { type: "boolean" } },
  positionals: { min: 0, max: 100 },
  async run(args, context) {
    if (args.flag("json") && !args.flag("dry-run")) throw new UsageError("--json needs --dry-run");
    const setup = await loadForCommand(context, { logToStderr: true });
    sayProblems(setup);
    const { jobs, broken } = chooseJobs(setup.loaded, args.positionals);
    if (jobs.length === 0) throw new BadConfig();
    const code = args.flag("dry-run")
      ? await dryRun(setup, jobs, context, args.flag("json"))
      : await pruneNow(setup, jobs, context);
    return broken.length > 0 ? EXIT_BAD_CONFIG : code;
  },
};

async function dryRun(setup: Setup, jobs: readonly Job[], context: CommandContext, json: boolean): Promise<number> {
  const rows: {
    job: string;
    destination: string;
    name: string;
    sizeBytes: number;
    storedAt: string;
    keep: boolean;
    reason: string;
  }[] = [];
  let failed = false;
  for (const job of jobs) {
    if (!retentionIsConfigured(job))
      context.output.remark(`${job.name}: no retention rule is set, so nothing is ever removed`);
    const destinations = await openJobDestinations(job, setup.options.stateDir);
    for (const destination of destinations) {
      try {
        const decide = await retentionDecider({
          job,
          destination,
          host: hostname(),
          clock: systemClock,
          signal: context.signal,
        });
        const archives = await Array.fromAsync(destination.list("archive", context.signal));
        const objects = new Map(archives.map((archive) => [archive.name, archive]));
        for (const { name, keep, reason } of await decide(archives)) {
          const object = objects.get(name);
          if (object === undefined) continue;
          const storedAt = isoTime(object.storedAt);
          rows.push({
            job: job.name,
            destination: destination.label,
            name,
            sizeBytes: object.sizeBytes,
            storedAt,
            keep: keep || isSpared(job, destination.kind),
            reason: isSpared(job, destination.kind) ? "its kind is in BACKUP_SKIP_BACKENDS_FROM_PRUNE" : reason,
          });
        }
      } catch (thrown) {
        failed = true;
        context.output.remark(
          setup.redact(`${job.name}: ${destination.label}: ${pruneFailure(destination, [thrown])}`),
        );
      }
    }
    await closeAll(destinations, setup.log);
  }
  if (json) context.output.print(JSON.stringify(rows, undefined, 2));
  else if (rows.length === 0) {
    if (!failed) context.output.print("no archives yet");
  } else {
    const cells = rows.map((row) => [
      row.keep ? "keep" : "remove",
      row.name,
      formatBytes(row.sizeBytes),
      localIso(Date.parse(row.storedAt)),
      row.job,
      row.destination,
      row.reason,
    ]);
    context.output.print(table(["DECISION", "ARCHIVE", "SIZE", "STORED", "JOB", "AT", "REASON"], cells, [2]));
  }
  return failed ? EXIT_FAILED : 0;
}

async function pruneNow(setup: Setup, jobs: readonly Job[], context: CommandContext): Promise<number> {
  let failed = false;
  for (const job of jobs) {
    if (!retentionIsConfigured(job)) {
      context.output.remark(`${job.name}: no retention rule is set, so nothing is removed`);
      continue;
    }
    let lock;
    try {
      lock = await acquireLock({
        path: setup.options.lockFile,
        timeoutMs: job.values.get(LOCK_TIMEOUT),
        signal: context.signal,
        job: job.name,
        onNote: (text) => setup.log.debug(text),
      });
    } catch (thrown) {
      if (!(thrown instanceof LockTimeout)) throw thrown;
      context.output.remark(messageOf(thrown));
      return EXIT_LOCKED;
    }
    const destinations = await openJobDestinations(job, setup.options.stateDir);
    try {
      for (const destination of destinations) {
        if (isSpared(job, destination.kind)) {
          context.output.remark(`${job.name}: ${destination.label} is left alone (BACKUP_SKIP_BACKENDS_FROM_PRUNE)`);
          continue;
        }
        try {
          const report = await pruneOne(job, destination, context);
          for (const name of report.removed) context.output.print(`removed ${name} from ${destination.label}`);
          context.output.print(
            `${job.name}: ${report.removed.length} removed, ${report.kept} kept at ${destination.label}`,
          );
          if (report.error !== undefined) throw new UserError(report.error);
        } catch (thrown) {
          context.signal.throwIfAborted();
          failed = true;
          context.output.remark(
            setup.redact(`${job.name}: ${destination.label}: ${pruneFailure(destination, [thrown])}`),
          );
        }
      }
    } finally {
      await closeAll(destinations, setup.log);
      lock.release();
    }
  }
  return failed ? EXIT_FAILED : 0;
}

async function pruneOne(job: Job, destination: Destination, { signal }: CommandContext): Promise<PruneReport> {
  const decide = await retentionDecider({ job, destination, host: hostname(), clock: systemClock, signal });
  return await pruneDestination(destination, decide, signal);
}
