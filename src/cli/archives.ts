import { hostname } from "node:os";
import type { Destination, StoredObject } from "../contracts/destination.ts";
import type { Job } from "../contracts/job.ts";
import type { Log } from "../contracts/log.ts";
import type { RunReport } from "../contracts/run.ts";
import { createNameMatcher } from "../archive/names.ts";
import { recordsByArchive } from "../delivery/record-of-archive.ts";
import { readRecords } from "../delivery/records.ts";
import { openJobDestinations } from "../run/job-destinations.ts";
import { orAborted } from "../lib/abortable.ts";
import { formatSpan } from "../lib/bytes.ts";
import { messageOf, UserError } from "../lib/errors.ts";
import { closeAll } from "../run/delivery-phases.ts";
import { archiveOwners, type ArchiveOwner } from "../run/own-records.ts";
import { namePatternOf } from "../run/name-pattern.ts";
import { BadConfig } from "./bad-config.ts";
import { chooseJobs, sayErrors, type Setup } from "./setup.ts";

/** One archive at one destination, and the job and run that it comes from as far as is known. */
export interface FoundArchive {
  readonly job: Job;
  /** Whose it is, as people read it: the job's name, or what its record says where that is another. */
  readonly owner: string;
  /** As `ArchiveOwner`; `renamed`: of a job that is in no file any more, and of this job's names. */
  readonly relation: ArchiveOwner | "renamed";
  readonly destination: Destination;
  readonly object: StoredObject;
  readonly record: RunReport | undefined;
}

export interface ArchiveSearch {
  readonly jobs: readonly string[];
  /** Part of a destination's label. */
  readonly from?: string | undefined;
}

/** Longest that one destination is listed. */
const LOOK_LIMIT_MS = 120_000;

/**
 * Calls `use` with every archive of the chosen jobs, newest first, while the destinations are open. Broken jobs are among
 * what can't be reached.
 * @throws BadConfig where no job is usable; why is said before
 */
export async function withArchives<T>(
  setup: Setup,
  search: ArchiveSearch,
  signal: AbortSignal,
  use: (archives: readonly FoundArchive[], unreachable: readonly string[]) => Promise<T>,
): Promise<T> {
  const { jobs, broken } = chooseJobs(setup.loaded, search.jobs);
  if (jobs.length === 0) {
    sayErrors(setup);
    throw new BadConfig();
  }
  const found: FoundArchive[] = [];
  const unreachable = broken.map((name) => `job ${name}: its configuration has errors (see lifeboat check)`);
  const opened: Destination[] = [];
  const looks: Promise<void>[] = [];
  // One that hangs keeps nobody from the archives that the others have.
  const look = async (job: Job, destination: Destination): Promise<void> => {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(LOOK_LIMIT_MS)]);
    try {
      found.push(...(await orAborted(archivesOf(job, destination, setup, limited), limited)));
    } catch (thrown) {
      signal.throwIfAborted();
      const why = limited.aborted ? `no answer for ${formatSpan(LOOK_LIMIT_MS)}` : messageOf(thrown);
      unreachable.push(`${destination.label}: ${why}`);
    }
  };
  try {
    for (const job of jobs) {
      const destinations = await openJobDestinations(job, setup.options.stateDir);
      opened.push(...destinations);
      for (const destination of destinations) {
        if (search.from !== undefined && !destination.label.includes(search.from)) continue;
        looks.push(look(job, destination));
      }
    }
    await Promise.all(looks);
    found.sort((a, b) => b.object.storedAt - a.object.storedAt || (a.object.name < b.object.name ? 1 : -1));
    return await use(found, unreachable);
  } finally {
    await closeAll(opened, setup.log);
  }
}

/**
 * What the job's pattern could have named or a record of a job of its name names, and no record gives to another job that
 * there is.
 */
async function archivesOf(
  job: Job,
  destination: Destination,
  { loaded, log }: Setup,
  signal: AbortSignal,
): Promise<FoundArchive[]> {
  const records = await recordsOf(destination, log, signal);
  const recordOf = recordsByArchive(records, destination.label);
  const whose = archiveOwners(records, job, hostname());
  const names = new Set([...loaded.jobs, ...loaded.broken].map(({ name }) => name));
  const matches = createNameMatcher(namePatternOf(job));
  const found: FoundArchive[] = [];
  for await (const object of destination.list("archive", signal)) {
    const record = recordOf.get(object.name);
    const isOfPattern = matches(object.name);
    const add = (relation: FoundArchive["relation"], owner: string): void => {
      found.push({ job, owner, relation, destination, object, record });
    };
    if (record === undefined) {
      if (isOfPattern) add("own", job.name);
    } else if (record.job === job.name) {
      const relation = whose(record, object.name);
      add(relation, relation === "other" ? `${record.job} of ${record.host}` : job.name);
    } else if (isOfPattern && !names.has(record.job)) add("renamed", record.job);
  }
  return found;
}

/** Every archive can be found and restored without the records, so their folder may be in any state. */
async function recordsOf(destination: Destination, log: Log, signal: AbortSignal): Promise<readonly RunReport[]> {
  try {
    return await readRecords(destination, undefined, { signal, limit: 100_000, tolerant: true });
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    log.warn(`no records from ${destination.label}: ${messageOf(thrown)}`);
    return [];
  }
}

function isWhole({ object, record }: FoundArchive): boolean {
  return object.sizeBytes > 0 && (record?.archive === undefined || record.archive.sizeBytes === object.sizeBytes);
}

/** The archive of that name, or the newest one for `latest`; of several copies a whole one, and the local one before others. */
export function pickArchive(
  archives: readonly FoundArchive[],
  wanted: string,
  unreachable: readonly string[],
): FoundArchive {
  if (wanted === "latest") {
    const own = archives.filter(({ relation }) => relation === "own");
    const candidates = own.length > 0 ? own : archives.filter(({ relation }) => relation !== "other");
    const jobs = new Set(candidates.map((archive) => archive.job.name));
    if (jobs.size > 1) {
      throw new UserError(`several jobs have archives: ${[...jobs].join(", ")}`, {
        hint: "say which one with --job NAME",
      });
    }
    const whole = candidates.filter(isWhole);
    const best = whole.find(({ record }) => record === undefined || record.status === "success") ?? whole[0];
    if (best !== undefined) return nearestCopy(whole, best);
    const [damaged] = candidates;
    if (damaged !== undefined) {
      throw new UserError(
        `no archive is whole: ${damaged.object.name} and all others are empty or not of their recorded size`,
        {
          hint: "name one to try it all the same; lifeboat list shows them",
        },
      );
    }
  }
  const named = archives.filter((archive) => archive.object.name === wanted);
  const best = named.find(isWhole) ?? named[0];
  if (best !== undefined) return nearestCopy(named, best);
  const reasons = unreachable.length > 0 ? `; not reachable: ${unreachable.join("; ")}` : "";
  throw new UserError(
    wanted === "latest" ? `there is no archive yet${reasons}` : `no archive is called ${wanted}${reasons}`,
    {
      hint: "lifeboat list shows what there is",
    },
  );
}

/** The same archive in the local folder, where it is there: what is stored last is found first, and that is a remote one. */
function nearestCopy(archives: readonly FoundArchive[], best: FoundArchive): FoundArchive {
  const isCopy = ({ object, job, record }: FoundArchive): boolean =>
    object.name === best.object.name &&
    object.sizeBytes === best.object.sizeBytes &&
    job === best.job &&
    record?.id === best.record?.id;
  return archives.find((archive) => archive.destination.kind === "local" && isCopy(archive)) ?? best;
}
