import { describeProblems } from "../config/describe.ts";
import { processSettings } from "../config/process.ts";
import { openRuntime } from "../state/runtime.ts";
import { BadConfig } from "./bad-config.ts";
import type { Command } from "./command.ts";

const HEALTHY_UNDER_MS = 60_000;
const EXIT_FAILED = 1;

export const healthCommand: Command = {
  usage: "health",
  summary: "exit 0 if the daemon is alive",
  help: `Healthy means: the daemon's heartbeat is less than 60 seconds old. A failed backup does not make it unhealthy; see
lifeboat status for that.`,
  options: {},
  positionals: { min: 0, max: 0 },
  async run(_args, context) {
    const { options, problems } = processSettings(context.environment);
    if (problems.length > 0) {
      for (const line of describeProblems(problems)) context.output.remark(line);
      throw new BadConfig();
    }
    const ageMs = openRuntime({ stateDir: options.stateDir }).heartbeatAgeMs();
    if (ageMs !== undefined && ageMs < HEALTHY_UNDER_MS) {
      context.output.print(`healthy: heartbeat ${Math.max(0, Math.round(ageMs / 1000))}s ago`);
      return 0;
    }
    context.output.print(
      ageMs === undefined
        ? "unhealthy: no daemon runs here"
        : `unhealthy: last heartbeat ${Math.round(ageMs / 1000)}s ago`,
    );
    return EXIT_FAILED;
  },
};
