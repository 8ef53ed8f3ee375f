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

/**
 * Seen by the newest record of a run that ended. Records that were copied from another store, or touched, look like those of
 * a clock that is ahead, and would make all archives older than they are: such a clock is believed only where the oldest
 * record shows it as well, or as far as it names a time that is still to come. Reads one listing.
 */
export async function clockSkewByRecords(
  destination: Destination,
  newestFirst: readonly RunReport[],
  nowMs: number,
  signal: AbortSignal,
): Promise<number> {
  const ended = newestFirst.filter(({ endedAt }) => endedAt !== undefined);
  const [newest, oldest] = [ended[0], ended.at(-1)];
  if (newest === undefined || oldest === undefined) return 0;
  const storedAt = new Map<string, number>();
  for await (const object of destination.list("record", signal)) storedAt.set(object.name, object.storedAt);
  const skewOf = (run: RunReport): number => {
    const at = storedAt.get(recordNameOf(run.job, run.id));
    return at === undefined ? 0 : outside(at, Date.parse(run.startedAt), lastWriteMs(run) + WRITING_MS);
  };
  const skewMs = skewOf(newest);
  if (skewMs <= 0) return skewMs;
  const apartMs = lastWriteMs(newest) - lastWriteMs(oldest);
  if (Math.abs(skewOf(oldest) - skewMs) < apartMs / 2) return skewMs;
  return Math.max(0, (storedAt.get(recordNameOf(newest.job, newest.id)) ?? 0) - nowMs);
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
