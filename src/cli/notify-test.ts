import type { NotificationLevel, NotificationMessage, SendReport } from "../contracts/notification.ts";
import type { Job } from "../contracts/job.ts";
import { jobRoutes } from "../notifications/job-routes.ts";
import { sendAll } from "../notifications/send/send-all.ts";
import { BadConfig } from "./bad-config.ts";
import { UsageError } from "./arguments.ts";
import type { Command, CommandContext } from "./command.ts";
import { chooseJobs, loadForCommand, sayProblems, type Setup } from "./setup.ts";

const EXIT_FAILED = 1;

export const notifyTestCommand: Command = {
  usage: "notify-test [job…] [--level error|info]",
  summary: "send a test message through every notification URL",
  help: `Sends a test message through every notification URL of the jobs (all unless some are named) and prints what became of each.
A URL is named by its service and its place in the list; it is never shown. Exit code 0: all were delivered, 1: one was not.

  --level error|info   as if something went wrong, or as after any run; URLs that are told only errors are left out with info.
                       Without it every URL is tested.`,
  options: { level: { type: "string" } },
  positionals: { min: 0, max: 100 },
  async run(args, context) {
    const level = args.text("level");
    if (level !== undefined && level !== "error" && level !== "info")
      throw new UsageError("--level takes error or info");
    const setup = await loadForCommand(context, { logToStderr: true });
    sayProblems(setup);
    const { jobs, broken } = chooseJobs(setup.loaded, args.positionals);
    if (jobs.length === 0) throw new BadConfig();
    let isGood = broken.length === 0;
    for (const job of jobs) if (!(await testJob(job, level, setup, context))) isGood = false;
    return isGood ? 0 : EXIT_FAILED;
  },
};

/** Whether everything that was to be told was delivered. */
export async function testJob(
  job: Job,
  level: NotificationLevel | undefined,
  { log, redact }: Pick<Setup, "log" | "redact">,
  { output, signal }: Pick<CommandContext, "output" | "signal">,
): Promise<boolean> {
  const { routes, problems } = jobRoutes(job.values);
  const chosen = routes.filter((route) => level !== "info" || route.level === "info");
  const say = (text: string): void => output.print(redact(`${job.name}: ${text}`));
  for (const problem of problems) say(`can't be used: ${problem}`);
  if (chosen.length === 0 && problems.length === 0) say("nobody is told: no notification URL is set for this");
  const reports = await sendAll(chosen, testMessage(job, level ?? "error"), {
    signal,
    log,
    environment: job.environment,
  });
  for (const report of reports) say(outcome(report));
  return problems.length === 0 && reports.every(({ isDelivered }) => isDelivered);
}

function outcome({ label, isDelivered, problems }: SendReport): string {
  const details = problems.length === 0 ? "" : `: ${problems.join("; ")}`;
  return `${label}: ${isDelivered ? "delivered" : "failed"}${details}`;
}

function testMessage({ name }: Job, level: NotificationLevel): NotificationMessage {
  return {
    title: `Lifeboat test: ${name}`,
    body: `This is a test of the notifications of the job ${name}.\nNothing happened to its backups.`,
    level,
    job: name,
    status: "test",
  };
}
