import { describe, expect, it } from "vitest";
import type { Kind, Setting } from "../contracts/setting.ts";
import { readValue } from "./kinds.ts";

function setting<K extends Kind>(kind: K, more: Partial<Setting<K>> = {}): Setting<K> {
  return { key: "KEY", kind, help: "", ...more };
}

describe("values of each kind", () => {
  it.each([
    ["1h30m", 5_400_000],
    ["0", 0],
    ["-5m", -300_000],
    ["1.5s", 1500],
    ["500us", 0.5],
  ])("duration %s is %d ms", (text, ms) => expect(readValue(setting("duration"), text)).toBe(ms));

  it.each(["5", "10 m", "1d", "m", "", " 5s", "1h 30m", "99999999999h"])("duration %j is refused", (text) => {
    expect(() => readValue(setting("duration"), text)).toThrow("must be a duration with units");
  });

  it.each([
    ["+7", 7],
    ["007", 7],
    ["-1", -1],
    ["2147483647", 2_147_483_647],
    ["-2147483648", -2_147_483_648],
  ])("whole %s is %d", (text, value) => expect(readValue(setting("whole"), text)).toBe(value));

  it.each(["99999999999", "2147483648", "1.0", "1e3", "0x10", "1_000", " 1", "١"])("whole %j is refused", (text) => {
    expect(() => readValue(setting("whole"), text)).toThrow("must be a whole number");
  });

  it("natural refuses what is below 0", () => {
    expect(readValue(setting("natural"), "0")).toBe(0);
    expect(() => readValue(setting("natural"), "-1")).toThrow("0 or more");
  });

  it.each([
    ["t", true],
    ["TRUE", true],
    ["0", false],
    ["False", false],
  ])("boolean %s", (text, value) => {
    expect(readValue(setting("boolean"), text)).toBe(value);
  });

  it.each(["yes", "on", "tRue", "true "])("boolean %j is refused", (text) => {
    expect(() => readValue(setting("boolean"), text)).toThrow("must be true or false");
  });

  it.each([
    ["0", 0],
    ["1024", 1024],
    ["500MB", 5e8],
    ["500mb", 5e8],
    ["2GiB", 2 ** 31],
    ["1.5k", 1500],
    ["10 MB", 1e7],
    ["7b", 7],
  ])("bytes %s", (text, value) => expect(readValue(setting("bytes"), text)).toBe(value));

  it.each(["-1", "1XB", "MB", "1e9", "9999999999999999P", "constructor", "1 constructor"])(
    "bytes %j is refused",
    (text) => {
      expect(() => readValue(setting("bytes"), text)).toThrow("must be a size");
    },
  );

  it("choice is exact", () => {
    const level = setting("choice", { allowed: ["error", "info"] });
    expect(readValue(level, "info")).toBe("info");
    for (const text of ["Info", "info ", "warn"])
      expect(() => readValue(level, text)).toThrow("must be one of error, info");
  });

  it("lists are trimmed and lose empty entries", () => {
    expect(readValue(setting("list"), " a , ,b,")).toEqual(["a", "b"]);
  });

  it("paths are absolute and at least one", () => {
    expect(readValue(setting("paths"), "/a, /b c")).toEqual(["/a", "/b c"]);
    expect(() => readValue(setting("paths"), "/a,b")).toThrow("must be an absolute path");
    expect(() => readValue(setting("paths"), " , ")).toThrow("at least one");
    expect(() => readValue(setting("path"), "~/x")).toThrow("must be an absolute path");
  });

  it("globs are over the full path", () => {
    expect(readValue(setting("globs"), "/backup/**/cache,**/node_modules")).toEqual([
      "/backup/**/cache",
      "**/node_modules",
    ]);
    expect(() => readValue(setting("globs"), "cache")).toThrow("must begin with / or *");
  });

  it.each(["https://x.test", "http://u:p@[::1]:8080/a?b", "HTTPS://x.test"])("url %s", (text) => {
    expect(readValue(setting("url"), text)).toBe(text);
  });

  it.each([
    "x.test",
    "ftp://x.test",
    "https:/x.test",
    "https://",
    "https://a b",
    " https://x.test",
    "https:x.test",
    "javascript://x",
  ])("url %j is refused", (text) =>
    expect(() => readValue(setting("url"), text)).toThrow("must be an http or https URL"),
  );

  it("urls are taken apart; what each is worth is the services' matter", () => {
    expect(readValue(setting("urls"), "slack://a/b/c, logger:,")).toEqual(["slack://a/b/c", "logger:"]);
  });

  it("zones are written in the ways that Go takes", () => {
    expect(readValue(setting("zone"), ":Europe/Berlin")).toBe("Europe/Berlin");
    expect(readValue(setting("zone"), "/usr/share/zoneinfo/Europe/Berlin")).toBe("Europe/Berlin");
  });

  it("a setting's own check comes last", () => {
    const port = setting("natural", { check: (value) => (value > 0 ? undefined : "must be above 0") });
    expect(() => readValue(port, "0")).toThrow("must be above 0");
  });
});
