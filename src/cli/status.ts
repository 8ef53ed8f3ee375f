import type { Job } from "../contracts/job.ts";
import type { RunReport } from "../contracts/run.ts";
import { parseCron } from "../golang/cron.ts";
import { formatBytes, formatSpan } from "../lib/bytes.ts";
import { localIso } from "../lib/iso-time.ts";
import { printablePath } from "../lib/printable.ts";
import { zoneOf } from "../lib/zone-setting.ts";
import { BACKUP_CRON_EXPRESSION } from "../schedule/settings.ts";
import { openRuntime, type LiveDaemon, type LiveProgress } from "../state/runtime.ts";
import { knownRuns } from "./known-runs.ts";
import type { Command } from "./command.ts";
import { chooseJobs, loadForCommand, sayErrors } from "./setup.ts";

const EXIT_BAD_CONFIG = 5;
const TIMES_SHOWN = 3;
const RUNS_LOOKED_AT = 500;
const LONGEST_ERROR_SHOWN = 400;

interface JobStatus {
  readonly job: string;
  readonly running: LiveProgress | undefined;
  readonly last: RunReport | undefined;
  readonly lastGood: RunReport | undefined;
  readonly next: readonly number[];
  /** Its file has errors now; with a next time the daemon goes on with the last good version. */
  readonly isBroken: boolean;
}

export const statusCommand: Command = {
  usage: "status [job…] [--json]",
  summary: "what runs and how far, the last good backup, the next three times",
  help: `Says for each job what is running and how far it is, how the last run ended, when the last good backup was made, and
the next three times it is due. A job whose file is broken is named; the exit code is then 5, as it is without any job.

  --json   the same as a JSON object`,
  options: { json: { type: "boolean" } },
  positionals: { min: 0, max: 100 },
  async run(args, context) {
    const setup = await loadForCommand(context, { logToStderr: true });
    const { jobs, broken } = chooseJobs(setup.loaded, args.positionals);
    const isWithoutJobs = jobs.length + broken.length === 0;
    if (isWithoutJobs) sayErrors(setup);
    const runtime = openRuntime({ stateDir: setup.options.stateDir });
    const progress = runtime.readProgress();
    const daemon = runtime.readDaemon();
    const statusOf = async (job: string, next: readonly number[], isBroken: boolean): Promise<JobStatus> => {
      const known = await knownRuns(setup, context, { job, limit: RUNS_LOOKED_AT });
      const runs = known.filter((run) => run.status !== "running");
      const lastGood = runs.find((run) => run.status === "success");
      return { job, running: progress?.job === job ? progress : undefined, last: runs[0], lastGood, next, isBroken };
    };
    const statuses: JobStatus[] = [];
    for (const job of jobs) {
      statuses.push(await statusOf(job.name, nextTimes(job, Date.now(), plannedBy(daemon, job.name)), false));
    }
    for (const name of broken) {
      const planned = plannedBy(daemon, name);
      statuses.push(await statusOf(name, planned === undefined ? [] : [planned], true));
    }
    if (args.flag("json")) {
      const answer = {
        daemon: daemon === undefined ? null : { pid: daemon.process.pid, startedAt: daemon.startedAt },
        jobs: statuses.map(asJson),
        broken,
      };
      context.output.print(setup.redact(JSON.stringify(answer, undefined, 2)));
    } else {
      context.output.print(
        daemon === undefined
          ? "no daemon runs here: jobs run only by hand"
          : `daemon running since ${localIso(Date.parse(daemon.startedAt))}`,
      );
      for (const status of statuses) context.output.print(setup.redact(describe(status)));
    }
    return isWithoutJobs || broken.length > 0 ? EXIT_BAD_CONFIG : 0;
  },
};

/** A next time of the job as the daemon planned it when it last read the configuration; it may be over by now. */
function plannedBy(daemon: LiveDaemon | undefined, job: string): number | undefined {
  const [planned] = daemon?.jobs.find((entry) => entry.job === job)?.next ?? [];
  return planned === undefined ? undefined : Date.parse(planned);
}

/** `@every` counts from the daemon's start, so its times are found from one that the daemon planned. */
export function nextTimes(job: Pick<Job, "values">, nowMs: number, plannedMs: number | undefined): number[] {
  const expression = job.values.get(BACKUP_CRON_EXPRESSION);
  const schedule = parseCron(expression, zoneOf(job.values));
  const times: number[] = [];
  let at: number | undefined = nowMs;
  if (plannedMs !== undefined && expression.includes("@every")) {
    const periodMs = (schedule.next(plannedMs) ?? plannedMs) - plannedMs;
    if (periodMs > 0) at = plannedMs + Math.ceil((nowMs - plannedMs) / periodMs - 1) * periodMs;
  }
  while (times.length < TIMES_SHOWN) {
    at = schedule.next(at);
    if (at === undefined) break;
    times.push(at);
  }
  return times;
}

function describe({ job, running, last, lastGood, next, isBroken }: JobStatus): string {
  const lines = [`\n${printablePath(job)}`];
  if (isBroken) {
    const effect = next.length === 0 ? "it does not run" : "the last good version stays in use";
    lines.push(`  broken     its configuration has errors (see lifeboat check); ${effect}`);
  }
  if (running !== undefined) lines.push(`  running    ${describeRunning(running)}`);
  lines.push(
    `  last run   ${last === undefined ? "never" : `${last.status} at ${localIso(Date.parse(last.startedAt))}${last.error === undefined ? "" : `: ${shortened(last.error)}`}`}`,
  );
  lines.push(
    `  last good  ${lastGood === undefined ? "never" : `${localIso(Date.parse(lastGood.startedAt))}${lastGood.archive === undefined ? "" : `, ${printablePath(lastGood.archive.name)}, ${formatBytes(lastGood.archive.sizeBytes)}`}`}`,
  );
  lines.push(
    `  next       ${next.length > 0 ? next.map(localIso).join(", ") : isBroken ? "never" : "never (the expression does not come due)"}`,
  );
  return lines.join("\n");
}

function describeRunning({ phase, startedAtMs, expectedBytes, files, bytesRead, bytesWritten }: LiveProgress): string {
  const span = formatSpan(Date.now() - startedAtMs);
  if (phase === "deliver") return `for ${span}: the archive is complete (${formatBytes(bytesWritten)}) and on its way`;
  const part = expectedBytes === 0 ? "" : `, about ${Math.min(99, Math.round((bytesRead / expectedBytes) * 100))} %`;
  return `${phase} for ${span}: ${files} files, ${formatBytes(bytesRead)}${part}`;
}

/** The whole of it is in the history. */
function shortened(error: string): string {
  const text = printablePath(error);
  return text.length > LONGEST_ERROR_SHOWN ? `${text.slice(0, LONGEST_ERROR_SHOWN)}…` : text;
}

function asJson({ job, running, last, lastGood, next, isBroken }: JobStatus): unknown {
  return {
    job,
    broken: isBroken,
    running:
      running === undefined
        ? null
        : {
            run: running.runId,
            phase: running.phase,
            startedAt: new Date(running.startedAtMs).toISOString(),
            files: running.files,
            bytesRead: running.bytesRead,
            bytesWritten: running.bytesWritten,
            expectedBytes: running.expectedBytes,
          },
    last: last ?? null,
    lastGood: lastGood ?? null,
    next: next.map((ms) => new Date(ms).toISOString()),
  };
}
