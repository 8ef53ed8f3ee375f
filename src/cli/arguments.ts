import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { messageOf } from "../lib/errors.ts";

/** Wrong use of a command: exit code 2, with the command's usage. */
export class UsageError extends Error {}

export interface Arguments {
  readonly positionals: readonly string[];
  flag(name: string): boolean;
  text(name: string): string | undefined;
  /** A whole number of at least 1. */
  count(name: string): number | undefined;
}

/** Reads `--name`, `--name value`, `--name=value`, short forms; anything unknown is a `UsageError`. */
export function readArguments(
  argv: readonly string[],
  options: ParseArgsOptionsConfig,
  positionals: { readonly min: number; readonly max: number },
): Arguments {
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (thrown) {
    throw new UsageError(messageOf(thrown).split(". ")[0] ?? "wrong arguments");
  }
  const given = parsed.positionals.length;
  if (given < positionals.min) throw new UsageError("an argument is missing");
  if (given > positionals.max)
    throw new UsageError(`too many arguments: ${parsed.positionals.slice(positionals.max).join(" ")}`);
  const text = (name: string): string | undefined => {
    const value = parsed.values[name];
    return typeof value === "string" ? value : undefined;
  };
  return {
    positionals: parsed.positionals,
    flag: (name) => parsed.values[name] === true,
    text,
    count(name) {
      const value = text(name);
      if (value === undefined) return undefined;
      if (!/^[1-9]\d{0,8}$/.test(value)) throw new UsageError(`--${name} takes a whole number of at least 1`);
      return Number(value);
    },
  };
}
