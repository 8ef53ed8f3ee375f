import type { Destination } from "../contracts/destination.ts";
import type { Log } from "../contracts/log.ts";
import type { RunReport } from "../contracts/run.ts";
import type { RunContext } from "./context.ts";
import { recordsByArchive } from "../delivery/record-of-archive.ts";
import { readRecords, writeRecord } from "../delivery/records.ts";
import { orAborted } from "../lib/abortable.ts";
import { DestinationError, messageOf } from "../lib/errors.ts";

/** Longest that a remote store is looked after before the archive is sent to it; what is left over waits for the next run. */
const CARE_LIMIT_MS = 20_000;

interface CareInput {
  readonly context: Pick<RunContext, "host" | "job" | "log">;
  readonly interrupted: readonly RunReport[];
  /** The archive's name. */
  readonly name: string;
}

/**
 * What happens at a remote store before a delivery, as a part of it: a dead store must not hold up the run or the other
 * destinations. What dead runs left is removed, their records are put right, and a name of another job's is refused. Only
 * that last one is a failure; whatever else goes wrong shows in the delivery itself.
 */
export function prepareRemote({
  context,
  interrupted,
  name,
}: CareInput): (destination: Destination, signal: AbortSignal) => Promise<void> {
  const { job, log } = context;
  return async (destination, signal) => {
    if (destination.kind === "local") return;
    const limited = AbortSignal.any([signal, AbortSignal.timeout(CARE_LIMIT_MS)]);
    const passOver = (thrown: unknown): undefined => {
      signal.throwIfAborted();
      log.debug(`could not look after earlier runs at ${destination.label}: ${messageOf(thrown)}`);
    };
    const [otherJob] = await Promise.all([
      orAborted(remoteOwnerOf(destination, name, job.name, limited), limited).catch(passOver),
      orAborted(lookAfter(destination, context, interrupted, limited), limited).catch(passOver),
    ]);
    if (otherJob === undefined) return;
    throw new DestinationError("invalid", `the archive name ${name} belongs to the job ${otherJob}`, {
      hint: "give each job its own BACKUP_FILENAME or its own folder; if this job had that name before, move the archive away",
    });
  };
}

/** Removes leftovers of this job's dead runs, and ends the records of those runs. */
export async function lookAfter(
  destination: Destination,
  { host, job, log }: Pick<RunContext, "host" | "job" | "log">,
  interrupted: readonly RunReport[],
  signal: AbortSignal,
): Promise<void> {
  sayRemoved(await destination.removeLeftovers({ host, job: job.name }, signal), destination, log);
  for (const report of interrupted) if (report.job === job.name) await writeRecord(destination, report, signal);
}

export function sayRemoved(count: number, destination: Pick<Destination, "label">, log: Log): void {
  if (count === 0) return;
  log.info(`removed ${count} ${count === 1 ? "leftover" : "leftovers"} of runs that did not end`, {
    destination: destination.label,
  });
}

/** One small request where the name is free, which it nearly always is. */
async function remoteOwnerOf(
  destination: Destination,
  name: string,
  job: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const body = await destination.get("archive", name, { offset: 0, length: 1 }, signal);
    body.on("error", () => undefined).destroy();
  } catch {
    // Not there; or no permission to look, which a backup's credentials need not have.
    return undefined;
  }
  const records = await readRecords(destination, undefined, { signal, limit: 100_000, tolerant: true });
  const owner = recordsByArchive(records, destination.label).get(name);
  return owner === undefined || owner.job === job ? undefined : owner.job;
}
