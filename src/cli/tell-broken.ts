import { deserializeJob } from "../config/serialize.ts";
import { describeProblems } from "../config/describe.ts";
import { configReport } from "../daemon/reports.ts";
import type { TellContext } from "../run/context.ts";
import type { Setup } from "./setup.ts";

/**
 * Records and tells that these jobs could not run, as a daemon does: a scheduler of the user's own starts `run` where
 * nobody reads what it says. What can't be told is in the log.
 */
export async function tellBroken(setup: Setup, names: readonly string[], context: TellContext): Promise<void> {
  const broken = setup.loaded.broken.filter(({ name }) => names.includes(name));
  if (broken.length === 0) return;
  const { noteAndTell } = await import("../run/tell-runs.ts");
  const origin = { host: context.host, version: context.version, nowMs: context.clock.now() };
  const reports = broken.map(({ name, problems }) => {
    const errors = problems.filter(({ severity }) => severity === "error");
    return { ...configReport(name, describeProblems(errors), origin), trigger: "manual" as const };
  });
  const jobs = broken.map(({ readable }) => deserializeJob(readable));
  await noteAndTell({ reports, missed: [], skipsTold: [] }, jobs, context);
}
