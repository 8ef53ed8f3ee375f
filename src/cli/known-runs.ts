import type { RunReport } from "../contracts/run.ts";
import { readRecords } from "../delivery/records.ts";
import { openJobDestinations } from "../run/job-destinations.ts";
import { messageOf } from "../lib/errors.ts";
import { closeAll } from "../run/delivery-phases.ts";
import { openHistory } from "../state/history.ts";
import type { CommandContext } from "./command.ts";
import type { Setup } from "./setup.ts";

const LOOK_LIMIT_MS = 60_000;

/** Runs from the history and from the records beside the archives together, newest first: either may have been lost. */
export async function knownRuns(
  { loaded, options, log }: Setup,
  context: CommandContext,
  filter: { readonly job?: string; readonly limit: number },
): Promise<RunReport[]> {
  const runs = new Map<string, RunReport>();
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(LOOK_LIMIT_MS)]);
  for (const job of loaded.jobs) {
    if (filter.job !== undefined && job.name !== filter.job) continue;
    const destinations = await openJobDestinations(job, options.stateDir);
    for (const destination of destinations) {
      try {
        for (const record of await readRecords(destination, job.name, { signal, limit: filter.limit, tolerant: true }))
          runs.set(record.id, record);
      } catch (thrown) {
        log.warn(`no records from ${destination.label}: ${messageOf(thrown)}`);
      }
    }
    await closeAll(destinations, log);
  }
  const history = await openHistory({ stateDir: options.stateDir, readOnly: true, onNote: (text) => log.debug(text) });
  for (const run of history.runs(filter)) {
    // Of a run that both know, the history's is the newer one unless it never learnt of the end.
    if (run.status !== "running" || !runs.has(run.id)) runs.set(run.id, run);
  }
  history.close();
  return [...runs.values()]
    .sort((a, b) => (a.startedAt === b.startedAt ? b.id.localeCompare(a.id) : b.startedAt.localeCompare(a.startedAt)))
    .slice(0, filter.limit);
}
