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
