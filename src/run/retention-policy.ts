import type { Destination, DestinationKind, StoredObject } from "../contracts/destination.ts";
import type { Job } from "../contracts/job.ts";
import type { RunReport } from "../contracts/run.ts";
import type { Clock } from "../lib/clock.ts";
import { createNameMatcher, expandName } from "../archive/names.ts";
import { recordsByArchive } from "../delivery/record-of-archive.ts";
import { readRecords } from "../delivery/records.ts";
import { clockSkewByArchive, clockSkewByRecords, confirmedSkew } from "./clock-skew.ts";
import { decideRetention, type RetentionDecision, type RetentionPolicy } from "../retention/decide.ts";
import {
  BACKUP_KEEP_DAILY,
  BACKUP_KEEP_LAST,
  BACKUP_KEEP_MIN,
  BACKUP_KEEP_MONTHLY,
  BACKUP_KEEP_WEEKLY,
  BACKUP_KEEP_YEARLY,
  BACKUP_PRUNING_LEEWAY,
  BACKUP_PRUNING_PREFIX,
  BACKUP_RETENTION_DAYS,
  BACKUP_SKIP_BACKENDS_FROM_PRUNE,
} from "../retention/settings.ts";
import { namePatternOf } from "./name-pattern.ts";
import { archiveOwners } from "./own-records.ts";

/** Every record there is matters: one that is overlooked could cost another job its archive. */
const MOST_RECORDS = 100_000;

export function retentionIsConfigured(job: Job): boolean {
  const { values } = job;
  return values.get(BACKUP_RETENTION_DAYS) >= 0 || KEEP_RULES.some((rule) => (values.get(rule) ?? 0) > 0);
}

/** Whether the user excepted destinations of this kind from pruning. */
export function isSpared(job: Job, kind: DestinationKind): boolean {
  return (job.values.get(BACKUP_SKIP_BACKENDS_FROM_PRUNE) ?? []).some((name) => name.toLowerCase() === kind);
}

const KEEP_RULES = [BACKUP_KEEP_LAST, BACKUP_KEEP_DAILY, BACKUP_KEEP_WEEKLY, BACKUP_KEEP_MONTHLY, BACKUP_KEEP_YEARLY];

export interface RetentionQuestion {
  readonly job: Job;
  readonly destination: Destination;
  readonly host: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The archive that the asking run has just delivered, and what the run amounts to so far. */
  readonly current?: {
    readonly name: string;
    readonly sizeBytes: number;
    readonly status: RunReport["status"];
    /** When the run began, milliseconds since the epoch: its archive can't have been stored before. */
    readonly startedAtMs: number;
  };
  /** What the history knows of a run of this machine. */
  known?(runId: string): RunReport | undefined;
}

/**
 * The job's retention rules, ready to decide over what one destination holds. Sidecars that share a folder often have jobs
 * of one name (`default`), so what a record says of a name that this job can't give is only believed of an earlier one of its own.
 */
export async function retentionDecider({
  job,
  destination,
  host,
  clock,
  signal,
  current,
  known,
}: RetentionQuestion): Promise<(archives: readonly StoredObject[]) => Promise<readonly RetentionDecision[]>> {
  const options = { signal, limit: MOST_RECORDS, ...(known === undefined ? {} : { known }) };
  const records = await readRecords(destination, undefined, options);
  const recordOf = recordsByArchive(records, destination.label);
  const policy = policyOf(job);
  const whose = archiveOwners(records, job, host);
  const ownerOf = (record: RunReport, name: string): string =>
    whose(record, name) === "other" && record.job === job.name
      ? `${record.job} of another sidecar (${record.host})`
      : record.job;
  // Without an archive of this moment, the clock is seen by the newest record; a local folder has our own.
  const skewOf = async (archives: readonly StoredObject[], now: number): Promise<number> => {
    if (destination.kind === "local") return 0;
    if (current === undefined) return clockSkewByRecords(destination, records, now, signal);
    const skewMs = clockSkewByArchive(archives, current, now);
    return confirmedSkew(skewMs, destination, records, now, signal);
  };
  return async (archives) => {
    const now = clock.now();
    const skewMs = await skewOf(archives, now);
    return decideRetention(
      archives.map((archive) => {
        const record = recordOf.get(archive.name);
        return {
          name: archive.name,
          sizeBytes: archive.sizeBytes,
          storedAt: archive.storedAt - skewMs,
          ...(archive.name === current?.name
            ? { isCurrent: true, record: { status: current.status, sizeBytes: current.sizeBytes, job: job.name } }
            : {}),
          ...(record?.archive === undefined || archive.name === current?.name
            ? {}
            : {
                record: {
                  status: record.status,
                  sizeBytes: record.archive.sizeBytes,
                  job: ownerOf(record, archive.name),
                },
              }),
        };
      }),
      policy,
      now,
    );
  };
}

function policyOf(job: Job): RetentionPolicy {
  const { values } = job;
  const pattern = namePatternOf(job);
  const prefix = values.get(BACKUP_PRUNING_PREFIX);
  return {
    retentionDays: values.get(BACKUP_RETENTION_DAYS),
    leewayMs: values.get(BACKUP_PRUNING_LEEWAY),
    prefix: prefix === undefined ? undefined : expandName(prefix, pattern),
    keepLast: values.get(BACKUP_KEEP_LAST) ?? 0,
    keepDaily: values.get(BACKUP_KEEP_DAILY) ?? 0,
    keepWeekly: values.get(BACKUP_KEEP_WEEKLY) ?? 0,
    keepMonthly: values.get(BACKUP_KEEP_MONTHLY) ?? 0,
    keepYearly: values.get(BACKUP_KEEP_YEARLY) ?? 0,
    keepMin: values.get(BACKUP_KEEP_MIN),
    zone: pattern.zone,
    job: job.name,
    matchesPattern: createNameMatcher(pattern),
  };
}
