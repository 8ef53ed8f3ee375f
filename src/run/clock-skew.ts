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

/** Seen by the newest record of a run that ended. Reads one listing. */
export async function clockSkewByRecords(
  destination: Destination,
  newestFirst: readonly RunReport[],
  signal: AbortSignal,
): Promise<number> {
  const newest = newestFirst.find(({ endedAt }) => endedAt !== undefined);
  if (newest?.endedAt === undefined) return 0;
  const name = recordNameOf(newest.job, newest.id);
  const corrections = newest.deliveries.flatMap(({ deliveredAt }) => deliveredAt ?? []);
  const lastMs = Math.max(...[newest.endedAt, ...corrections].map((time) => Date.parse(time)));
  for await (const object of destination.list("record", signal)) {
    if (object.name === name) return outside(object.storedAt, Date.parse(newest.startedAt), lastMs + WRITING_MS);
  }
  return 0;
}

/** How far `value` lies outside of the span; 0 within. */
function outside(value: number, from: number, to: number): number {
  if (!Number.isFinite(value)) return 0;
  return value < from ? value - from : value > to ? value - to : 0;
}
