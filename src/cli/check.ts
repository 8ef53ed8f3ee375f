import { accessSync, constants, statSync } from "node:fs";
import type { Job } from "../contracts/job.ts";
import { BACKUP_SOURCES } from "../archive/settings.ts";
import { describeEngines } from "../archive/write/engines.ts";
import { describeProblems } from "../config/describe.ts";
import { describeSchedule } from "../daemon/describe.ts";
import { printablePath } from "../lib/printable.ts";
import { messageOf } from "../lib/errors.ts";
import { openHistory } from "../state/history.ts";
import { jobRoutes } from "../notifications/job-routes.ts";
import { checkDestinations, type DestinationFinding } from "./check-destinations.ts";
import { mountWarnings } from "./check-mounts.ts";
import { templateFindings } from "./check-templates.ts";
import type { Command } from "./command.ts";
import { chooseJobs, loadForCommand, type Setup } from "./setup.ts";
import { nextTimes } from "./status.ts";

const EXIT_FAILED = 1;
const EXIT_BAD_CONFIG = 5;

interface PlainFinding {
  readonly level: "ok" | "note" | "warning" | "error";
  readonly job?: string;
  readonly about: "config" | "schedule" | "source" | "state" | "compressor" | "notification";
  readonly text: string;
}

type Finding = PlainFinding | DestinationFinding;

export const checkCommand: Command = {
  usage: "check [job…] [--json]",
  summary: "check configuration, sources, destinations (end to end) and compressors",
  help: `Looks at everything that a run needs, without running: the configuration (all problems, notes included), when each
job runs next, the sources, the destinations, the state folder (made if it is missing), notification URLs and templates, and
which compressors are used. Each destination is gone through from end to end, all at the same time: resolve, connect,
authenticate, write a small object under a hidden name, read it back, list, remove it, each with its time. Where reading,
listing or removing is denied, that is a note: credentials that can only write are good practice. Exit code 0: nothing is wrong
(there may be warnings), 1: a run would fail or be partial, 5: bad configuration.

  --json   the findings as a JSON array; those of destinations have their steps`,
  options: { json: { type: "boolean" } },
  positionals: { min: 0, max: 100 },
  async run(args, context) {
    const setup = await loadForCommand(context, { logToStderr: true });
    const { jobs } = chooseJobs(setup.loaded, args.positionals);
    const findings = [...configFindings(setup), ...(await stateFindings(setup))];
    const destinations = await Promise.all(jobs.map((job) => checkDestinations(job, setup, context.signal)));
    for (const [at, job] of jobs.entries())
      findings.push(
        scheduleFinding(job),
        ...sourceFindings(job),
        ...(destinations[at] ?? []),
        ...notificationFindings(job),
      );
    findings.push(...templateFindings(jobs, setup.options, setup.redact), ...(await compressorFindings()));
    if (args.flag("json")) context.output.print(setup.redact(JSON.stringify(findings, undefined, 2)));
    else for (const finding of findings) context.output.print(setup.redact(printablePath(line(finding))));
    if (findings.some((finding) => finding.level === "error" && finding.about === "config")) return EXIT_BAD_CONFIG;
    return findings.some((finding) => finding.level === "error") ? EXIT_FAILED : 0;
  },
};

async function compressorFindings(): Promise<Finding[]> {
  const engines = await describeEngines();
  return engines.map(({ text, missing }) => ({ level: missing ? "note" : "ok", about: "compressor", text }));
}

function line({ level, job, text }: Finding): string {
  return `${level.padEnd(7)}  ${job === undefined ? "" : `${job}: `}${text}`;
}

function configFindings({ loaded }: Setup): Finding[] {
  const findings: Finding[] = loaded.problems.map((problem) => ({
    level: problem.severity,
    about: "config",
    text: describeProblems([problem])[0] ?? "",
  }));
  if (loaded.folder !== undefined) {
    findings.push(
      ...mountWarnings(loaded.folder).map((text) => ({ level: "warning" as const, about: "config" as const, text })),
    );
  }
  const where = loaded.folder ?? "the environment";
  findings.push({
    level: "ok",
    about: "config",
    text: `${loaded.jobs.length} ${loaded.jobs.length === 1 ? "job" : "jobs"} in ${where}`,
  });
  return findings;
}

async function stateFindings({ options }: Setup): Promise<Finding[]> {
  const notes: string[] = [];
  const history = await openHistory({ stateDir: options.stateDir, onNote: (text) => notes.push(text) });
  const { persistent, where } = history;
  history.close();
  const findings: Finding[] = notes.map((text) => ({ level: "warning", about: "state", text }));
  if (persistent) findings.push({ level: "ok", about: "state", text: `history is kept in ${where}` });
  return findings;
}

function scheduleFinding(job: Job): Finding {
  const [nextMs] = nextTimes(job, Date.now(), undefined);
  const level = nextMs === undefined ? "note" : "ok";
  return { level, job: job.name, about: "schedule", text: describeSchedule(job, nextMs) };
}

function sourceFindings(job: Job): Finding[] {
  return job.values.get(BACKUP_SOURCES).map((path) => {
    try {
      const stat = statSync(path);
      accessSync(path, stat.isDirectory() ? constants.R_OK | constants.X_OK : constants.R_OK);
      return { level: "ok", job: job.name, about: "source", text: `${path} can be read` };
    } catch (thrown) {
      return {
        level: "error",
        job: job.name,
        about: "source",
        text: `the source ${path} can't be read: ${messageOf(thrown)}`,
      };
    }
  });
}

/** Only whether they can be used; `notify-test` sends. */
function notificationFindings(job: Job): Finding[] {
  const { routes, problems } = jobRoutes(job.values);
  const common = { job: job.name, about: "notification" } as const;
  return [
    ...routes.map(({ label, level }) => ({
      ...common,
      level: "ok" as const,
      text: `notification ${label}: usable, is told ${level === "info" ? "about every run" : "what goes wrong"}`,
    })),
    ...problems.map((text) => ({ ...common, level: "error" as const, text: `notification ${text}` })),
  ];
}
