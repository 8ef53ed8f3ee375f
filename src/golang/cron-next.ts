import { civilTime, clockSeconds } from "./civil.ts";
import type { CivilTime } from "./civil.ts";
import type { CronFields } from "./cron-fields.ts";
import type { Zone } from "./zone-type.ts";

/**
 * robfig/cron's search for the next fire, step by step, since its steps decide what happens where the clock jumps: a
 * fire inside a skipped hour does not happen that day, one in a repeated hour may happen twice, midnights that do not
 * exist move to the first hour that does.
 */

/** Beyond this many years ahead a schedule counts as one that never fires. */
const YEARS_AHEAD = 5;

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 86_400;

type Step = "fits" | "again";

/** @returns the first fire after `afterMs`, in milliseconds since 1970 */
export function nextFire(fields: CronFields, zone: Zone, afterMs: number): number | undefined {
  const { second, minute, hour, month } = fields;
  // The search below would walk five years second by second to find that out.
  if (second.isEmpty || minute.isEmpty || hour.isEmpty || month.isEmpty) return undefined;
  const cursor = createCursor(zone, Math.floor(afterMs / 1000) + 1);
  const lastYear = cursor.time().year + YEARS_AHEAD;
  while (cursor.time().year <= lastYear) {
    if (fitMonth(cursor, fields) === "again") continue;
    if (fitDay(cursor, fields) === "again") continue;
    if (fitHour(cursor, fields) === "again") continue;
    if (fitMinute(cursor, fields) === "again") continue;
    if (fitSecond(cursor, fields) === "again") continue;
    const fireMs = cursor.epochSeconds() * 1000;
    return Number.isNaN(new Date(fireMs).getTime()) ? undefined : fireMs;
  }
  return undefined;
}

interface Cursor {
  epochSeconds(): number;
  time(): CivilTime;
  /** Goes to that reading of the clock. */
  setClock(year: number, month: number, day: number, hour: number, minute?: number, second?: number): void;
  add(seconds: number): void;
  /** True the first time: only then are the smaller fields set to their beginning. */
  isFirstChange(): boolean;
}

function createCursor(zone: Zone, start: number): Cursor {
  let epoch = start;
  let shown = civilTime(epoch, zone.offsetAt(epoch));
  let isChanged = false;
  function moveTo(epochSeconds: number): void {
    epoch = epochSeconds;
    shown = civilTime(epoch, zone.offsetAt(epoch));
  }
  return {
    epochSeconds: () => epoch,
    time: () => shown,
    setClock: (year, month, day, hour, minute = 0, second = 0) => {
      const clock = clockSeconds(year, month, day, hour) + minute * 60 + second;
      moveTo(clock - offsetForClock(zone, clock));
    },
    add: (seconds) => {
      moveTo(epoch + seconds);
    },
    isFirstChange: () => {
      const isFirst = !isChanged;
      isChanged = true;
      return isFirst;
    },
  };
}

/**
 * Go's `time.Date` guesses the offset as if the clock showed UTC, and corrects the guess once. That decides which of two
 * instants a repeated reading is, and where a skipped one goes.
 */
function offsetForClock(zone: Zone, clock: number): number {
  const guess = zone.offsetAt(clock);
  return guess === 0 ? 0 : zone.offsetAt(clock - guess);
}

function fitMonth(cursor: Cursor, { month }: CronFields): Step {
  while (!month.has(cursor.time().month)) {
    if (cursor.isFirstChange()) cursor.setClock(cursor.time().year, cursor.time().month, 1, 0);
    const { year, month: current, day, hour, minute, second } = cursor.time();
    cursor.setClock(year, current + 1, day, hour, minute, second);
    if (cursor.time().month === 1) return "again";
  }
  return "fits";
}

function fitDay(cursor: Cursor, fields: CronFields): Step {
  while (!dayFits(cursor.time(), fields)) {
    if (cursor.isFirstChange()) setMidnight(cursor);
    const before = cursor.epochSeconds();
    const { year, month, day, hour, minute, second } = cursor.time();
    cursor.setClock(year, month, day + 1, hour, minute, second);
    const landed = cursor.time().hour;
    // Where midnight does not exist: back to the day's first hour, or on to the next day.
    if (landed > 12) cursor.add((24 - landed) * HOUR_SECONDS);
    else if (landed > 0) cursor.add(-landed * HOUR_SECONDS);
    // Where a whole day does not exist (Samoa, 30 December 2011) the steps above lead back to where they began.
    if (cursor.epochSeconds() <= before) {
      cursor.add(before - cursor.epochSeconds() + DAY_SECONDS);
      setMidnight(cursor);
    }
    if (cursor.time().day === 1) return "again";
  }
  return "fits";
}

function setMidnight(cursor: Cursor): void {
  const { year, month, day } = cursor.time();
  cursor.setClock(year, month, day, 0);
}

/** Both day fields must fit if one of them is a star, else one of them is enough. */
function dayFits(time: CivilTime, { dayOfMonth, dayOfWeek }: CronFields): boolean {
  const fitsMonth = dayOfMonth.has(time.day);
  const fitsWeek = dayOfWeek.has(time.weekday);
  return dayOfMonth.isStar || dayOfWeek.isStar ? fitsMonth && fitsWeek : fitsMonth || fitsWeek;
}

function fitHour(cursor: Cursor, { hour }: CronFields): Step {
  while (!hour.has(cursor.time().hour)) {
    if (cursor.isFirstChange()) {
      const time = cursor.time();
      cursor.setClock(time.year, time.month, time.day, time.hour);
    }
    cursor.add(HOUR_SECONDS);
    if (cursor.time().hour === 0) return "again";
  }
  return "fits";
}

function fitMinute(cursor: Cursor, { minute }: CronFields): Step {
  while (!minute.has(cursor.time().minute)) {
    if (cursor.isFirstChange()) cursor.add(-(((cursor.epochSeconds() % 60) + 60) % 60));
    cursor.add(60);
    if (cursor.time().minute === 0) return "again";
  }
  return "fits";
}

function fitSecond(cursor: Cursor, { second }: CronFields): Step {
  while (!second.has(cursor.time().second)) {
    // The cursor stands on a whole second already.
    cursor.isFirstChange();
    cursor.add(1);
    if (cursor.time().second === 0) return "again";
  }
  return "fits";
}
