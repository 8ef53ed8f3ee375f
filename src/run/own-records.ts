import type { Destination } from "../contracts/destination.ts";
import type { Job } from "../contracts/job.ts";
import type { RunReport } from "../contracts/run.ts";
import { createNameMatcher } from "../archive/names.ts";
import { readRecords } from "../delivery/records.ts";
import { namePatternOf } from "./name-pattern.ts";

/** Where many sidecars share a folder, so many of the newest records are read to find this job's. */
const MOST_READ = 2_000;

/**
 * Those of a job's runs among records of its name. Sidecars that share a folder mostly have one job called `default`
 * (docs/decisions/0010): a run of another host is this job's where its archive's name is one that this job can give. One
 * without an archive is, unless its host is known by archives of other names.
 */
export function ownRecords(records: readonly RunReport[], job: Job, host: string): RunReport[] {
  const matches = createNameMatcher(namePatternOf(job));
  const own = new Set([host]);
  const others = new Set<string>();
  for (const { archive, host: of } of records) {
    if (archive !== undefined) (matches(archive.name) ? own : others).add(of);
  }
  return records.filter(
    ({ archive, host: of }) =>
      of === host || (archive === undefined ? own.has(of) || !others.has(of) : matches(archive.name)),
  );
}

/** `own`: of this job's names. `earlier`: of names that it had before. `other`: of another sidecar, as far as can be told. */
export type ArchiveOwner = "own" | "earlier" | "other";

/**
 * Whose an archive is that a record gives to a job of this name. An earlier `BACKUP_FILENAME` gave no name any more once this
 * one did: where it seems to, two sidecars have one host name and one folder, and then neither is believed of the other's.
 */
export function archiveOwners(
  records: readonly RunReport[],
  job: Job,
  host: string,
): (record: RunReport, name: string) => ArchiveOwner {
  const matches = createNameMatcher(namePatternOf(job));
  const made = records.filter((record) => record.job === job.name && record.host === host);
  const startsOf = (areOwn: boolean): number[] =>
    made.flatMap(({ archive, startedAt }) =>
      archive !== undefined && matches(archive.name) === areOwn ? Date.parse(startedAt) : [],
    );
  const firstOwnMs = startsOf(true).reduce((first, at) => Math.min(first, at), Number.POSITIVE_INFINITY);
  const isAlone = startsOf(false).every((at) => at < firstOwnMs);
  return (record, name) => (matches(name) ? "own" : record.host === host && isAlone ? "earlier" : "other");
}

/** The job's own runs that left a record, newest first, at most `limit`. What can't be read is left out. */
export async function readOwnRecords(
  destination: Destination,
  job: Job,
  host: string,
  { signal, limit }: { readonly signal: AbortSignal; readonly limit: number },
): Promise<RunReport[]> {
  const read = new Map<string, RunReport>();
  const known = (runId: string): RunReport | undefined => read.get(runId);
  for (let count = limit; ; count *= 4) {
    const readBefore = read.size;
    const records = await readRecords(destination, job.name, { signal, limit: count, tolerant: true, known });
    for (const record of records) read.set(record.id, record);
    const own = ownRecords(records, job, host);
    const isShared = own.length < records.length;
    const hasMore = isShared && read.size > readBefore && count * 4 <= MOST_READ;
    if (own.length >= limit || !hasMore) return own.slice(0, limit);
  }
}
