import { configAsJson, printConfig as render } from "../config/print.ts";
import type { Command, CommandContext } from "./command.ts";
import { chooseJobs, loadForCommand } from "./setup.ts";
import { describeProblems } from "../config/describe.ts";

const EXIT_BAD_CONFIG = 5;

export const printConfigCommand: Command = {
  usage: "print-config [job…] [--json]",
  summary: "every setting, its value (secrets masked) and where it comes from",
  help: `Prints each job's settings with their values and where each comes from: a line of a file, a KEY_FILE, the
environment or the default. Secrets are shown as ***. Problems follow on standard error; with errors the exit code is 5.`,
  options: { json: { type: "boolean" } },
  positionals: { min: 0, max: 100 },
  run: (args, context) => printConfig(context, { json: args.flag("json"), jobs: args.positionals }),
};

export async function printConfig(
  context: CommandContext,
  options: { readonly json: boolean; readonly jobs: readonly string[] },
): Promise<number> {
  const { loaded, redact } = await loadForCommand(context);
  chooseJobs(loaded, options.jobs);
  const text = options.json
    ? JSON.stringify(configAsJson(loaded, options.jobs), undefined, 2)
    : render(loaded, options.jobs);
  context.output.print(redact(text));
  for (const line of describeProblems(loaded.problems)) context.output.remark(redact(line));
  return loaded.problems.some((problem) => problem.severity === "error") ? EXIT_BAD_CONFIG : 0;
}
