/** The last moment that a `Date` can hold, milliseconds; file systems and archives can name later ones. */
const LAST_MS = 8.64e15;

/** ISO 8601, UTC. A time beyond what a `Date` can hold becomes the nearest that it can. */
export function isoTime(epochMs: number): string {
  return dateOf(epochMs).toISOString();
}

/** Local time of the process's `TZ` with its offset, to the second: `2026-11-22T22:30:05+01:00`, `…Z` at UTC. */
export function localIso(epochMs: number): string {
  const date = dateOf(epochMs);
  const offsetMin = -date.getTimezoneOffset();
  const local = dateOf(date.getTime() + offsetMin * 60_000)
    .toISOString()
    .replace(/\.\d+Z$/, "");
  if (offsetMin === 0) return `${local}Z`;
  const sign = offsetMin < 0 ? "-" : "+";
  const hours = String(Math.floor(Math.abs(offsetMin) / 60)).padStart(2, "0");
  const minutes = String(Math.abs(offsetMin) % 60).padStart(2, "0");
  return `${local}${sign}${hours}:${minutes}`;
}

function dateOf(epochMs: number): Date {
  return new Date(Number.isNaN(epochMs) ? 0 : Math.max(-LAST_MS, Math.min(LAST_MS, epochMs)));
}
