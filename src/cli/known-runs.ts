import { hostname } from "node:os";
import type { Job } from "../contracts/job.ts";
import type { RunReport } from "../contracts/run.ts";
import { openJobDestinations } from "../run/job-destinations.ts";
import { orAborted } from "../lib/abortable.ts";
import { messageOf } from "../lib/errors.ts";
import { closeAll } from "../run/delivery-phases.ts";
import { readOwnRecords } from "../run/own-records.ts";
import { openHistory } from "../state/history.ts";
import type { CommandContext } from "./command.ts";
import type { Setup } from "./setup.ts";

/** Longest that each destination is asked, all at the same time: the history mostly knows more. */
const LOOK_LIMIT_MS = 15_000;

/** Runs from the history and from the records beside the archives together, newest first: either may have been lost. */
export async function knownRuns(
  { loaded, options, log }: Setup,
  context: CommandContext,
  filter: { readonly job?: string; readonly limit: number },
): Promise<RunReport[]> {
  const runs = new Map<string, RunReport>();
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(LOOK_LIMIT_MS)]);
  const jobs = loaded.jobs.filter(({ name }) => filter.job === undefined || name === filter.job);
  const look = async (job: Job): Promise<void> => {
    const destinations = await openJobDestinations(job, options.stateDir);
    await Promise.all(
      destinations.map(async (destination) => {
        try {
          const reading = readOwnRecords(destination, job, hostname(), { signal, limit: filter.limit });
          for (const record of await orAborted(reading, signal)) {
            const known = runs.get(record.id);
            if (known === undefined || isNewer(record, known)) runs.set(record.id, record);
          }
        } catch (thrown) {
          context.signal.throwIfAborted();
          log.warn(`no records from ${destination.label}: ${signal.aborted ? "no answer" : messageOf(thrown)}`);
        }
      }),
    );
    await closeAll(destinations, log);
  };
  await Promise.all(jobs.map(look));
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

/** Records of one run differ where a store was out of reach when the run ended, or when a later delivery corrected it. */
function isNewer(record: RunReport, than: RunReport): boolean {
  if (than.status === "running") return record.status !== "running";
  const storedCount = ({ deliveries }: RunReport): number =>
    deliveries.filter(({ status }) => status === "stored").length;
  return record.status !== "running" && storedCount(record) > storedCount(than);
}
