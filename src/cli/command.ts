import type { ParseArgsOptionsConfig } from "node:util";
import type { Arguments } from "./arguments.ts";
import type { Output } from "./output.ts";

/** What every command works with. */
export interface CommandContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly output: Output;
  readonly version: string;
  /** Aborted on SIGTERM, SIGINT and SIGHUP with an `Interruption`. */
  readonly signal: AbortSignal;
  /** From now on a SIGHUP does this instead. */
  readonly onHangUp: (act: () => void) => void;
}

/** One command of `lifeboat`. `run` gives the exit code of `design.md`. */
export interface Command {
  readonly usage: string;
  readonly summary: string;
  /** Shown by `lifeboat <command> --help`, below the usage. */
  readonly help: string;
  readonly options: ParseArgsOptionsConfig;
  readonly positionals: { readonly min: number; readonly max: number };
  run(args: Arguments, context: CommandContext): Promise<number>;
}
