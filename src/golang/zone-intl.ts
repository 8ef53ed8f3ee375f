import type { Zone } from "./zone-type.ts";

/**
 * Where abbreviations are looked for, in this order: each locale knows those of its own part of the world. What none
 * knows is written as the number, as tzdata does.
 */
const LOCALES = ["en-US", "en-GB", "en-CA", "en-AU", "en-NZ", "en-IN", "en-ZA", "en-KE"] as const;

/**
 * Abbreviations of tzdata (standard time, then daylight time) that the locales do not know, or know by other letters.
 * Where there is none, tzdata has the number.
 */
const EXCEPTIONS: readonly (readonly [abbreviations: readonly string[], zones: string])[] = [
  [["HST", "HDT"], "America/Adak America/Atka US/Aleutian"],
  [["MST"], "America/Dawson America/Whitehorse America/Hermosillo America/Mazatlan Canada/Yukon Mexico/BajaSur"],
  [["CST", "CDT"], "America/Havana Cuba"],
  [["WIB"], "Asia/Jakarta Asia/Pontianak"],
  [["WITA"], "Asia/Makassar Asia/Ujung_Pandang"],
  [["WIT"], "Asia/Jayapura"],
  [["IST", "IDT"], "Asia/Jerusalem Asia/Tel_Aviv Israel"],
  [["PKT"], "Asia/Karachi"],
  [["CST"], "Asia/Shanghai Asia/Chongqing Asia/Chungking Asia/Harbin Asia/Macau Asia/Macao Asia/Taipei PRC ROC"],
  [["PST"], "Asia/Manila"],
  [["KST"], "Asia/Seoul Asia/Pyongyang ROK"],
  [["JST"], "Asia/Tokyo Japan"],
  [["HKT"], "Asia/Hong_Kong Hongkong"],
  [["GMT", "IST"], "Europe/Dublin Eire"],
  [["GMT", "BST"], "Europe/Guernsey Europe/Isle_of_Man Europe/Jersey"],
  [["MSK"], "Europe/Moscow Europe/Kirov Europe/Simferopol Europe/Volgograd W-SU"],
  [["MET", "MEST"], "MET"],
  [["ChST"], "Pacific/Guam Pacific/Saipan"],
  [["SST"], "Pacific/Midway Pacific/Pago_Pago Pacific/Samoa US/Samoa"],
  [["GMT"], "Etc/GMT Etc/GMT0 Etc/GMT+0 Etc/GMT-0 Etc/Greenwich GMT GMT0 GMT+0 GMT-0 Greenwich"],
  [[], "America/Miquelon Antarctica/Casey Antarctica/Troll Asia/Colombo Asia/Dubai Asia/Muscat Australia/Eucla"],
  [[], "Australia/Lord_Howe Australia/LHI Pacific/Chatham NZ-CHAT"],
];

/**
 * A zone from the runtime's own data, for systems without zone files, and for the old names that some leave out. Offsets
 * are exact; abbreviations are tzdata's for all but a few islands.
 * @returns undefined for a name that the runtime does not know, or spells otherwise
 */
export function intlZone(name: string): Zone | undefined {
  try {
    if (new Temporal.ZonedDateTime(0n, name).timeZoneId !== name) return undefined;
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
  // A schedule asks for many instants close to each other.
  let spanStart = Infinity;
  let spanEnd = -Infinity;
  let spanOffset = 0;

  function offsetAt(epochSeconds: number): number {
    if (epochSeconds >= spanStart && epochSeconds < spanEnd) return spanOffset;
    const there = zonedTime(name, epochSeconds);
    spanOffset = there.offsetNanoseconds / 1e9;
    spanStart = epochSeconds;
    spanEnd = secondsOf(there.getTimeZoneTransition("next")) ?? Infinity;
    return spanOffset;
  }
  return {
    offsetAt,
    abbreviationAt: (epochSeconds) => abbreviation(name, epochSeconds) || numeric(offsetAt(epochSeconds)),
  };
}

function zonedTime(zone: string, epochSeconds: number): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(epochSeconds * 1000).toZonedDateTimeISO(zone);
}

function secondsOf(moment: Temporal.ZonedDateTime | null): number | undefined {
  return moment === null ? undefined : moment.epochMilliseconds / 1000;
}

/** The letters, or nothing where there are none. */
function abbreviation(zone: string, epochSeconds: number): string {
  const known = EXCEPTIONS.find(([, zones]) => zones.split(" ").includes(zone))?.[0];
  if (known !== undefined) return known[isDaylightTime(zone, epochSeconds) ? 1 : 0] ?? known[0] ?? "";
  const isUtcOffset = zonedTime(zone, epochSeconds).offsetNanoseconds === 0;
  for (const locale of LOCALES) {
    const format = new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName: "short" });
    const name = format.formatToParts(epochSeconds * 1000).find((part) => part.type === "timeZoneName")?.value;
    if (name !== undefined && /^[A-Z]{3,5}$/.test(name) && (name !== "GMT" || isUtcOffset)) return name;
  }
  return "";
}

/** Ahead of what the same year has in January or July. */
function isDaylightTime(zone: string, epochSeconds: number): boolean {
  const there = zonedTime(zone, epochSeconds);
  const halves = [1, 7].map((month) => there.with({ month, day: 1 }).offsetNanoseconds);
  return there.offsetNanoseconds > Math.min(...halves);
}

/** `+0530`, `-03`: tzdata's way of writing an offset that has no letters. */
function numeric(offsetSeconds: number): string {
  const minutes = Math.trunc(Math.abs(offsetSeconds) / 60);
  const tail = minutes % 60 === 0 ? "" : twoDigits(minutes % 60);
  return `${offsetSeconds < 0 ? "-" : "+"}${twoDigits(Math.trunc(minutes / 60))}${tail}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
