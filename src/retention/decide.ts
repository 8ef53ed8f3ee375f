import type { RunStatus } from "../contracts/run.ts";
import { calendarOf } from "./buckets.ts";
import type { Period } from "./buckets.ts";

/** A finished archive as a destination lists it. Names are unique within one destination. */
export interface RetentionArchive {
  readonly name: string;
  readonly sizeBytes: number;
  /** Milliseconds since the epoch: the store's time of last modification. Age and periods are judged by it. */
  readonly storedAt: number;
  /** The archive that the pruning run itself has just delivered: the newest, whatever the clocks say, and always kept. */
  readonly isCurrent?: boolean;
  /**
   * What the newest record that names this archive says; of the current one, what the run amounts to so far (`running`
   * counts as good).
   */
  readonly record?: {
    readonly status: RunStatus | "running";
    readonly sizeBytes: number;
    readonly job: string;
  };
}

export interface RetentionPolicy {
  /** `BACKUP_RETENTION_DAYS`; below 0 = off. */
  readonly retentionDays: number;
  /** `BACKUP_PRUNING_LEEWAY`, milliseconds: archives up to this much younger than the days go too. May be negative. */
  readonly leewayMs: number;
  /** `BACKUP_PRUNING_PREFIX`, expanded; undefined or empty = none. */
  readonly prefix: string | undefined;
  /** `BACKUP_KEEP_LAST` and so on; 0 = not set. */
  readonly keepLast: number;
  readonly keepDaily: number;
  readonly keepWeekly: number;
  readonly keepMonthly: number;
  readonly keepYearly: number;
  /** `BACKUP_KEEP_MIN`. */
  readonly keepMin: number;
  /** Zone of the job, as `golang/zone.ts` knows it. */
  readonly zone: string;
  readonly job: string;
  /** Whether this job's file name pattern could have produced the name (`archive/names.ts`). */
  matchesPattern(name: string): boolean;
}

export interface RetentionDecision {
  readonly name: string;
  readonly keep: boolean;
  /** For people: `older than 7 days`, `one of the last 3, newest of week 2026-W12`. */
  readonly reason: string;
}

/**
 * Which archives of one destination stay, and why; one decision per archive, newest first (by name where the times are
 * equal). Pure, and independent of the order of the list.
 *
 * - Candidates have a name that the job's pattern could have produced, or that a record of this job names, and the prefix
 *   if there is one; never what a record gives to another job. All else is kept.
 * - An archive is removed when no KEEP rule wants it and it is older than the retention days (or those are off). Without any
 *   rule all are kept. Days are calendar days of the zone, compared as the image does: `storedAt < now - days + leeway`.
 * - A KEEP rule of N wants the newest archive of each of the N newest periods that have one (`KEEP_LAST`: every archive is
 *   its own period). Good archives come first: a period is represented by its newest good one, and one that is not good
 *   (partial, failed, of the wrong size) never uses up a place. So a night that went wrong can't push out a good archive;
 *   a job whose archives are all partial still keeps N of them. Empty archives are never wanted.
 * - A time that is still to come counts as now: a clock that was ahead must not make old archives the newest for ever.
 * - At least `keepMin` good archives stay, the newest first; and never are all removed, whatever `keepMin` says.
 */
export function decideRetention(
  archives: readonly RetentionArchive[],
  policy: RetentionPolicy,
  nowMs: number,
): readonly RetentionDecision[] {
  const newestFirst = archives.map((archive) => notAhead(archive, nowMs)).toSorted(byAge);
  const candidates = newestFirst.filter((archive) => whyNotCandidate(archive, policy) === undefined);
  const kept = new Map<RetentionArchive, string[]>();
  const keep = (archive: RetentionArchive, reason: string): void => {
    const reasons = kept.get(archive);
    if (reasons === undefined) kept.set(archive, [reason]);
    else reasons.push(reason);
  };

  const isYoung = youngerThanDays(policy, nowMs);
  const rules = keepRules(policy);
  for (const archive of candidates) {
    if (archive.isCurrent === true) keep(archive, "made by this run");
    if (isYoung?.(archive)) keep(archive, `not older than ${days(policy.retentionDays)}`);
    else if (isYoung === undefined && rules.length === 0) keep(archive, "no retention is configured");
  }
  for (const rule of rules) applyRule(rule, candidates, keep);
  keepMinimum(candidates, policy.keepMin, kept, keep);

  const removal = isYoung === undefined ? "not wanted by any keep rule" : `older than ${days(policy.retentionDays)}`;
  return newestFirst.map((archive) => {
    const foreign = whyNotCandidate(archive, policy);
    const reasons = kept.get(archive);
    const reason = foreign ?? reasons?.join(", ") ?? removal;
    return { name: archive.name, keep: foreign !== undefined || reasons !== undefined, reason };
  });
}

/** Good: its record says success and the size is right, or there is no record and it is not empty. */
export function isGoodArchive({ record, sizeBytes }: RetentionArchive): boolean {
  if (sizeBytes === 0) return false;
  if (record === undefined) return true;
  return (record.status === "success" || record.status === "running") && record.sizeBytes === sizeBytes;
}

function notAhead(archive: RetentionArchive, nowMs: number): RetentionArchive {
  return archive.storedAt > nowMs ? { ...archive, storedAt: nowMs } : archive;
}

function byAge(a: RetentionArchive, b: RetentionArchive): number {
  if (a.isCurrent !== b.isCurrent) return a.isCurrent === true ? -1 : 1;
  if (a.storedAt !== b.storedAt) return b.storedAt - a.storedAt;
  // Names mostly hold a time, so the greater one is the newer one.
  if (a.name === b.name) return 0;
  return a.name < b.name ? 1 : -1;
}

function whyNotCandidate(archive: RetentionArchive, policy: RetentionPolicy): string | undefined {
  const { name, record } = archive;
  if (record !== undefined && record.job !== policy.job) return `belongs to job ${record.job}`;
  if (!policy.matchesPattern(name)) {
    if (record === undefined) return "not a name of this job";
    if (record.sizeBytes !== archive.sizeBytes) return "not the file that a record of this job names: its size differs";
  }
  if (policy.prefix !== undefined && !name.startsWith(policy.prefix)) return "does not begin with the pruning prefix";
  return undefined;
}

/** Undefined while the days are off. */
function youngerThanDays(policy: RetentionPolicy, nowMs: number): ((a: RetentionArchive) => boolean) | undefined {
  if (policy.retentionDays < 0) return undefined;
  const deadlineMs = calendarOf(policy.zone).daysBefore(nowMs, policy.retentionDays) + policy.leewayMs;
  return (archive) => archive.storedAt >= deadlineMs;
}

interface KeepRule {
  readonly count: number;
  /** Archives of one period have the same key. */
  keyOf(archive: RetentionArchive): string;
  reasonFor(key: string): string;
}

function keepRules(policy: RetentionPolicy): KeepRule[] {
  const calendar = calendarOf(policy.zone);
  const newestOf = (period: Period, count: number): KeepRule => ({
    count,
    keyOf: (archive) => calendar.periodOf(archive.storedAt, period),
    reasonFor: (key) => `newest of ${period} ${key}`,
  });
  const last: KeepRule = {
    count: policy.keepLast,
    keyOf: (archive) => archive.name,
    reasonFor: () => (policy.keepLast === 1 ? "the last one" : `one of the last ${policy.keepLast}`),
  };
  return [
    last,
    newestOf("day", policy.keepDaily),
    newestOf("week", policy.keepWeekly),
    newestOf("month", policy.keepMonthly),
    newestOf("year", policy.keepYearly),
  ].filter((rule) => rule.count > 0);
}

type Keep = (archive: RetentionArchive, reason: string) => void;

function applyRule(rule: KeepRule, newestFirst: readonly RetentionArchive[], keep: Keep): void {
  const periods = new Map<string, { archive: RetentionArchive; isGood: boolean }>();
  for (const archive of newestFirst) {
    if (archive.sizeBytes === 0) continue;
    const key = rule.keyOf(archive);
    const isGood = isGoodArchive(archive);
    const present = periods.get(key);
    if (present === undefined || (isGood && !present.isGood)) periods.set(key, { archive, isGood });
  }
  let periodsSeen = 0;
  let goodSeen = 0;
  for (const [key, { archive, isGood }] of periods) {
    if ((isGood ? goodSeen : periodsSeen) < rule.count) keep(archive, rule.reasonFor(key));
    periodsSeen += 1;
    if (isGood) goodSeen += 1;
  }
}

function keepMinimum(
  newestFirst: readonly RetentionArchive[],
  keepMin: number,
  kept: ReadonlyMap<RetentionArchive, unknown>,
  keep: Keep,
): void {
  const good = newestFirst.filter(isGoodArchive);
  const missing = keepMin - good.filter((archive) => kept.has(archive)).length;
  const spared = good.filter((archive) => !kept.has(archive)).slice(0, Math.max(0, missing));
  for (const archive of spared) keep(archive, `minimum of ${keepMin} good archive${keepMin === 1 ? "" : "s"}`);
  if (kept.size > 0) return;
  const lastResort = good[0] ?? newestFirst.find((archive) => archive.sizeBytes > 0) ?? newestFirst[0];
  if (lastResort !== undefined) keep(lastResort, "the only one left: never all are removed");
}

function days(count: number): string {
  return count === 1 ? "1 day" : `${count} days`;
}
