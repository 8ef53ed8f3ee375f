import { commands } from "./index.ts";
import type { Command } from "./command.ts";

export function generalHelp(): string {
  const width = Math.max(...[...commands.keys()].map((name) => name.length));
  const lines = [...commands].map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `usage: lifeboat <command> [options]

Lifeboat backs up folders on a schedule: it makes tar archives, delivers them, checks them, removes old ones and keeps a
history. Settings come from env files in the config folder (/config, or CONFIG_DIR), one job each, or from the environment.

commands:
${lines.join("\n")}

  lifeboat <command> --help   says more about a command
  lifeboat --version          prints the version

exit codes: 0 success, 1 failed or interrupted, 2 wrong usage, 3 partly succeeded, 4 locked, 5 bad configuration`;
}

export function commandHelp(command: Command): string {
  return `usage: lifeboat ${command.usage}\n\n${command.help}`;
}
