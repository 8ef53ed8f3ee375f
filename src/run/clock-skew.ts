import type { Destination, StoredObject } from "../contracts/destination.ts";
import type { RunReport } from "../contracts/run.ts";
import { recordNameOf } from "../delivery/record-names.ts";

/*
 * A store's clock may be wrong by hours or years, and archives are aged by the times that it gives them. How wrong it is
 * shows in something whose true time we know. Times between the moments that it must lie between count as right.
 */

/** Seen by the archive that this run has just stored. Milliseconds by which the store's clock is ahead. */
export function clockSkewByArchive(
  archives: readonly StoredObject[],
  current: { readonly name: string; readonly startedAtMs: number },
  nowMs: number,
): number {
  const listed = archives.find(({ name }) => name === current.name);
  return listed === undefined ? 0 : outside(listed.storedAt, current.startedAtMs, nowMs);
}

/** A record is written at the end of its run, or when a later delivery corrects it; this is for slow stores. */
const WRITING_MS = 60_000;
/** Two measurements of one clock differ at most by this, or by what can't be told from a clock that stands still. */
const TOLERANCE_MS = 2 * WRITING_MS;

/**
 * What `clockSkewByArchive` saw, where earlier runs saw it, too: if their records have the right times, so have their archives.
 * One that is ahead makes archives older than they look, so all that is known must agree; for one that is behind, anything.
 */
export async function confirmedSkew(
  skewMs: number,
  destination: Destination,
  newestFirst: readonly RunReport[],
  nowMs: number,
  signal: AbortSignal,
): Promise<number> {
  const earlier = ended(newestFirst);
  if (skewMs === 0 || earlier.length === 0) return Math.min(0, skewMs);
  const skewOf = await skewsOf(destination, signal);
  const agrees = (run: RunReport): boolean => agree(skewMs, skewOf(run), nowMs - lastWriteMs(run));
  const witnesses = [earlier[0], earlier.at(-1)].filter((run) => run !== undefined);
  return (skewMs > 0 ? witnesses.every(agrees) : witnesses.some(agrees)) ? skewMs : 0;
}

/**
 * Seen by the newest record of a run that ended. Records that were copied from another store, or touched, look like those of
 * a clock that is ahead: it is believed only where the oldest record shows it as well, or as far as it names a time that is
 * still to come. Reads one listing.
 */
export async function clockSkewByRecords(
  destination: Destination,
  newestFirst: readonly RunReport[],
  nowMs: number,
  signal: AbortSignal,
): Promise<number> {
  const runs = ended(newestFirst);
  const [newest, oldest] = [runs[0], runs.at(-1)];
  if (newest === undefined || oldest === undefined) return 0;
  const skewOf = await skewsOf(destination, signal);
  const skewMs = skewOf(newest);
  if (skewMs <= 0) return skewMs;
  const apartMs = lastWriteMs(newest) - lastWriteMs(oldest);
  if (oldest !== newest && agree(skewMs, skewOf(oldest), apartMs)) return skewMs;
  return Math.max(0, skewMs + lastWriteMs(newest) + WRITING_MS - nowMs);
}

function ended(newestFirst: readonly RunReport[]): readonly RunReport[] {
  return newestFirst.filter(({ endedAt }) => endedAt !== undefined);
}

function agree(one: number, other: number, apartMs: number): boolean {
  return Math.abs(one - other) <= Math.max(TOLERANCE_MS, apartMs / 2);
}

/** By how much the store's clock was ahead when it took the record of a run; 0 where it has none. */
async function skewsOf(destination: Destination, signal: AbortSignal): Promise<(run: RunReport) => number> {
  const storedAt = new Map<string, number>();
  for await (const object of destination.list("record", signal)) storedAt.set(object.name, object.storedAt);
  return (run) => {
    const at = storedAt.get(recordNameOf(run.job, run.id));
    return at === undefined ? 0 : outside(at, Date.parse(run.startedAt), lastWriteMs(run) + WRITING_MS);
  };
}

/** When the run's record was written, by our clock: at its end, or by the last later delivery. */
function lastWriteMs({ startedAt, endedAt, deliveries }: RunReport): number {
  const corrections = deliveries.flatMap(({ deliveredAt }) => deliveredAt ?? []);
  return Math.max(...[endedAt ?? startedAt, ...corrections].map((time) => Date.parse(time)));
}

/** How far `value` lies outside of the span; 0 within. */
function outside(value: number, from: number, to: number): number {
  if (!Number.isFinite(value)) return 0;
  return value < from ? value - from : value > to ? value - to : 0;
}
