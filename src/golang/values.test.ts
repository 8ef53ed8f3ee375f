import { describe, expect, it } from "vitest";
import { parseBool } from "./bool.ts";
import { formatDuration, parseDuration } from "./duration.ts";
import { expandVariables } from "./expand.ts";
import { parseInt32, parseInt64 } from "./integer.ts";
import { droppedVerbs, strftime } from "./strftime.ts";

describe("parseBool", () => {
  it("knows Go's spellings only", () => {
    expect(["1", "t", "T", "TRUE", "true", "True"].map(parseBool)).toEqual(Array(6).fill(true));
    expect(["0", "f", "F", "FALSE", "false", "False"].map(parseBool)).toEqual(Array(6).fill(false));
    expect(["", "yes", "tRUE", " true", "constructor"].map(parseBool)).toEqual(Array(5).fill(undefined));
  });
});

describe("integers", () => {
  it("reads 32 bits", () => {
    expect(["+7", "007", "-0", "2147483647", "-2147483648"].map(parseInt32)).toEqual([
      7, 7, 0, 2_147_483_647, -2_147_483_648,
    ]);
    expect(["", "+", "1_0", "0x1", "1e3", " 1", "2147483648", "-2147483649", "\u0663"].map(parseInt32)).toEqual(
      Array(9).fill(undefined),
    );
  });

  it("reads 64 bits", () => {
    expect(parseInt64("9223372036854775807")).toBe(2 ** 63);
    expect(parseInt64("9223372036854775808")).toBeUndefined();
    expect(parseInt64(`${"0".repeat(50)}5`)).toBe(5);
  });
});

describe("durations", () => {
  it("keeps to int64 as Go does", () => {
    expect(parseDuration("-9223372036854775808ns")).toBe(-(2n ** 63n));
    expect(() => parseDuration("9223372036854775808ns")).toThrow("time: invalid duration");
    // Unsigned overflow on the way is not noticed there either.
    expect(parseDuration("9223372036854775808ns9223372036854775808ns")).toBe(0n);
    expect(parseDuration("0.9223372036854775807999h")).toBe(3_320_413_933_267n);
  });

  it("says what is wrong in Go's words", () => {
    expect(() => parseDuration("5")).toThrow('time: missing unit in duration "5"');
    expect(() => parseDuration("5d")).toThrow('time: unknown unit "d" in duration "5d"');
  });

  it("writes what it reads", () => {
    for (const text of ["1h30m0s", "1.5\u00b5s", "-2562047h47m16.854775808s", "100ms", "0s", "1ns"]) {
      expect(formatDuration(parseDuration(text))).toBe(text);
    }
  });
});

describe("strftime", () => {
  it("names the verbs that vanish", () => {
    expect(droppedVerbs("%Y-%F %-d%% %F %")).toEqual(["%F", "%-", "%"]);
    expect(strftime("%Y-%F %-d%% %F %", 0, "")).toBe("1970- d%  ");
  });

  it("keeps microseconds and negative times", () => {
    expect(strftime("%S.%f", 1.5, "UTC")).toBe("00.001500");
    expect(strftime("%Y %H:%M:%S.%f", -1, "UTC")).toBe("1969 23:59:59.999000");
  });
});

describe("expandVariables", () => {
  const values = new Map([
    ["A", "1"],
    ["B_2", "$A"],
    ["1", "one"],
  ]);
  const expand = (text: string): string => expandVariables(text, (name) => values.get(name));

  it.each([
    ["$A-${A}-$B_2", "1-1-$A"],
    ["$NOPE|${NOPE}", "|"],
    ["$1x ${1}", "onex one"],
    ["${} ${A $A ${", " A 1 "],
    ["100$ $/ \\$A", "100$ $/ \\1"],
    ["$", "$"],
  ])("%s", (text, expected) => {
    expect(expand(text)).toBe(expected);
  });
});
