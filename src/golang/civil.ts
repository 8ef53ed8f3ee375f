/** An instant as the calendar and clock of a place show it (proleptic Gregorian). */
export interface CivilTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** 1 to 366. */
  readonly yearDay: number;
  /** East of UTC. */
  readonly offsetSeconds: number;
}

const DAY_SECONDS = 86_400;

/** What a clock that is `offsetSeconds` ahead of UTC shows at `epochSeconds`. */
export function civilTime(epochSeconds: number, offsetSeconds: number): CivilTime {
  const date = new Date((epochSeconds + offsetSeconds) * 1000);
  const year = date.getUTCFullYear();
  return {
    year,
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    weekday: date.getUTCDay(),
    yearDay: Math.floor((epochSeconds + offsetSeconds - clockSeconds(year, 1, 1, 0)) / DAY_SECONDS) + 1,
    offsetSeconds,
  };
}

/** Seconds from 1970 to that reading of a clock, as if the clock showed UTC. Months and days beyond the end roll over. */
export function clockSeconds(year: number, month: number, day: number, hour: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() / 1000 + hour * 3600;
}
