import { Interruption } from "../lib/interruption.ts";
import { maskUserInfo } from "../lib/redact.ts";
import { messageOf, UserError } from "../lib/errors.ts";
import { VERSION } from "../version.ts";
import { readArguments, UsageError } from "./arguments.ts";
import { BadConfig } from "./bad-config.ts";
import type { Command, CommandContext } from "./command.ts";
import { commandHelp, generalHelp } from "./help.ts";
import { commands } from "./index.ts";
import { processOutput } from "./output.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_BAD_CONFIG = 5;

/** Runs one command line and gives its exit code. Every error ends as one or two readable lines. */
export async function dispatch(program: "lifeboat" | "backup", argv: readonly string[]): Promise<number> {
  const output = processOutput;
  const context: CommandContext = {
    environment: process.env,
    output,
    version: VERSION,
    ...processSignals(),
  };
  try {
    if (program === "backup") return await (await import("./backup.ts")).backup(argv, context);
    return await lifeboat(argv, context);
  } catch (thrown) {
    if (thrown instanceof BadConfig) return EXIT_BAD_CONFIG;
    if (thrown instanceof UsageError) {
      output.remark(`${program}: ${thrown.message}`);
      output.remark(`see ${program} --help`);
      return EXIT_USAGE;
    }
    if (thrown instanceof UserError) {
      output.remark(`${program}: ${maskUserInfo(messageOf(thrown))}`);
      if (thrown.hint !== undefined) output.remark(`hint: ${maskUserInfo(thrown.hint)}`);
      return EXIT_FAILED;
    }
    if (thrown instanceof Interruption) {
      output.remark(`${program}: ${thrown.message}`);
      return EXIT_FAILED;
    }
    output.remark(`${program}: ${maskUserInfo(messageOf(thrown))} (this is a bug in Lifeboat; please report it)`);
    return EXIT_FAILED;
  }
}

async function lifeboat(argv: readonly string[], context: CommandContext): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined) {
    context.output.remark(generalHelp());
    return EXIT_USAGE;
  }
  if (name === "--help" || name === "-h" || name === "help") {
    const [about] = rest;
    context.output.print(about === undefined ? generalHelp() : commandHelp(await commandCalled(about)));
    return 0;
  }
  const command = await commandCalled(name);
  const options = { ...command.options, help: { type: "boolean", short: "h" } as const };
  const asksForHelp = rest.includes("--help") || rest.includes("-h");
  if (asksForHelp) {
    context.output.print(commandHelp(command));
    return 0;
  }
  return command.run(readArguments(rest, options, command.positionals), context);
}

async function commandCalled(name: string): Promise<Command> {
  const found = commands.get(name);
  if (found === undefined) throw new UsageError(`unknown command: ${name.slice(0, 60)}`);
  return await found.load();
}

/** The first SIGTERM or SIGINT asks for an orderly end; so does SIGHUP (a closed terminal) where it means nothing else. */
function processSignals(): Pick<CommandContext, "signal" | "onHangUp"> {
  const controller = new AbortController();
  const stop = (name: string) => (): void => controller.abort(new Interruption("signal", `stopped by ${name}`));
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(name, stop(name));
  return {
    signal: controller.signal,
    onHangUp(act) {
      process.removeAllListeners("SIGHUP").on("SIGHUP", act);
    },
  };
}
