import { describe, expect, it } from "vitest";
import { parseTzif } from "./tzif.ts";
import { intlZone } from "./zone-intl.ts";
import { parseZoneRule } from "./zone-rule.ts";
import { isKnownZone, loadZone } from "./zone.ts";

const WINTER = Date.parse("2026-01-15T00:00:00Z") / 1000;
const SUMMER = Date.parse("2026-07-15T00:00:00Z") / 1000;

/** Zone, then offset and abbreviation in January and July 2026. */
const KNOWN = [
  ["Europe/Berlin", 3600, "CET", 7200, "CEST"],
  ["America/New_York", -18_000, "EST", -14_400, "EDT"],
  ["Australia/Lord_Howe", 39_600, "+11", 37_800, "+1030"],
  ["Asia/Kolkata", 19_800, "IST", 19_800, "IST"],
  ["Asia/Tokyo", 32_400, "JST", 32_400, "JST"],
  ["Asia/Jerusalem", 7200, "IST", 10_800, "IDT"],
  ["America/Sao_Paulo", -10_800, "-03", -10_800, "-03"],
  ["US/Eastern", -18_000, "EST", -14_400, "EDT"],
] as const;

/** The abbreviation that a rule gives at an instant. */
function at(rule: string, instant: string): string | undefined {
  return parseZoneRule(rule)?.(Date.parse(instant) / 1000).abbreviation;
}

describe("zones", () => {
  it.each(KNOWN)("knows %s, from files or from the runtime", (name, winter, winterName, summer, summerName) => {
    for (const zone of [loadZone(name), intlZone(name)]) {
      expect([zone?.offsetAt(WINTER), zone?.abbreviationAt(WINTER)]).toEqual([winter, winterName]);
      expect([zone?.offsetAt(SUMMER), zone?.abbreviationAt(SUMMER)]).toEqual([summer, summerName]);
    }
  });

  it("takes names exactly, and only names", () => {
    expect(["", "UTC", "Local", "Etc/GMT+5", "EST5EDT"].filter((name) => !isKnownZone(name))).toEqual([]);
    const wrong = [
      "utc ",
      "europe/berlin",
      "Europe",
      "Europe/",
      "+05:30",
      "../etc/passwd",
      "/etc/localtime",
      "zone.tab",
      "\0",
      "x".repeat(9999),
    ];
    expect(wrong.filter(isKnownZone)).toEqual([]);
    expect(() => loadZone("europe/berlin")).toThrow('unknown time zone "europe/berlin"');
  });

  it("reads rules of both hemispheres and odd changes", () => {
    expect(at("CET-1CEST,M3.5.0,M10.5.0/3", "2050-03-27T00:59:59Z")).toBe("CET");
    expect(at("CET-1CEST,M3.5.0,M10.5.0/3", "2050-03-27T01:00:00Z")).toBe("CEST");
    expect(at("NZST-12NZDT,M9.5.0,M4.1.0/3", "2050-01-01T00:00:00Z")).toBe("NZDT");
    expect(at("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2050-03-27T01:00:00Z")).toBe("-01");
    expect(at("<+01>-1", "2050-03-27T01:00:00Z")).toBe("+01");
    expect(at("STD0DST,J60,J300", "2048-02-29T12:00:00Z")).toBe("STD");
    expect(parseZoneRule("nonsense")).toBeUndefined();
  });

  it("refuses what is no zone file", () => {
    expect(parseTzif(Buffer.from("TZif"))).toBeUndefined();
    expect(parseTzif(Buffer.concat([Buffer.from("TZif2"), Buffer.alloc(39, 0xff)]))).toBeUndefined();
    expect(parseTzif(Buffer.alloc(200))).toBeUndefined();
  });
});
