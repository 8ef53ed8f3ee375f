import { expect, it } from "vitest";
import { isoTime, localIso } from "./iso-time.ts";

it.each([0, 1_767_225_600_123, -5_000, 8.64e15, 9e18, -9e18, Number.NaN, Number.POSITIVE_INFINITY])(
  "never throws: %d",
  (ms) => {
    expect(isoTime(ms)).toMatch(/^[+-]?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(localIso(ms)).toMatch(/^[+-]?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/);
  },
);

it("is what Date says where a date can be", () => {
  expect(isoTime(1_767_225_600_123)).toBe("2026-01-01T00:00:00.123Z");
  expect(Date.parse(localIso(1_767_225_600_000))).toBe(1_767_225_600_000);
});
