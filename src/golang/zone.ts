import { readFileSync } from "node:fs";
import path from "node:path";
import { parseTzif } from "./tzif.ts";
import { intlZone } from "./zone-intl.ts";
import type { Zone } from "./zone-type.ts";

const ZONE_FOLDER = "/usr/share/zoneinfo";

const UTC: Zone = { offsetAt: () => 0, abbreviationAt: () => "UTC" };

/**
 * Finds a zone by name as Go's `time.LoadLocation` does: `""` and `UTC` are UTC, `Local` is the process's own zone, names
 * are written exactly. The system's compiled zone files come first: they have the abbreviations that users see today, and
 * reading one costs a tenth of the memory that the runtime's own zone data costs. That is used where there is no file.
 * @throws Error for a name that neither knows
 */
export function loadZone(name: string): Zone {
  if (name === "" || name === "UTC") return UTC;
  if (name === "Local") return localZone();
  const zone = isPlausibleName(name) ? (zoneFromFile(name) ?? intlZone(name)) : undefined;
  if (zone === undefined) throw new Error(`unknown time zone ${JSON.stringify(name.slice(0, 64))}`);
  return zone;
}

/** As Go: without `TZ` what `/etc/localtime` holds (a zone file may be mounted there), else what `TZ` names. */
function localZone(): Zone {
  const mounted = process.env["TZ"] === undefined ? zoneAt("/etc/localtime") : undefined;
  if (mounted !== undefined) return mounted;
  const own = Temporal.Now.timeZoneId();
  return own === "UTC" ? UTC : (zoneFromFile(own) ?? intlZone(own) ?? UTC);
}

/** Whether `loadZone` would find it. */
export function isKnownZone(name: string): boolean {
  if (name === "" || name === "UTC" || name === "Local") return true;
  return isPlausibleName(name) && (zoneFromFile(name) ?? intlZone(name)) !== undefined;
}

/** Every name of the zone database, and nothing that leads out of its folder. */
function isPlausibleName(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/.test(name) && name.length < 100;
}

function zoneFromFile(name: string): Zone | undefined {
  return zoneAt(path.join(ZONE_FOLDER, name));
}

function zoneAt(file: string): Zone | undefined {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch {
    // No such file, a folder, or no zone files on this system: the caller has another way.
    return undefined;
  }
  return parseTzif(content);
}
