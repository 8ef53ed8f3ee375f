import { describe, expect, it } from "vitest";
import { compileRe2 } from "./re2.ts";

describe("compileRe2", () => {
  it.each([
    ["\\p{Letter}+", "é1"],
    ["\\p{greek}", "α"],
    ["\\p{upper-case letter}", "A"],
    ["^[\\p{ascii}]+$", "a~"],
    ["^\\P{ascii}$", "é"],
    ["^\\p{^Assigned}$", "\u{378}"],
    ["(?P<n>a)(?<n>b)", "ab"],
    ["[[:alpha:][]", "["],
    ["\\Q\\p{x}\\E", "\\p{x}"],
  ])("%s matches %s as in Go", (pattern, text) => {
    expect(compileRe2(pattern).test(text)).toBe(true);
  });

  it.each([
    "\\p{Emoji}",
    "\\p{Garay}",
    "\\p{Old_Italic}",
    "\\p{",
    "\\p",
    "(?<n>?)",
    "a{1001}",
    "(?=a)",
    "\\1",
    "\\Z",
    "a++",
    "\ud800",
  ])("refuses %j with a plain error", (pattern) => {
    expect(() => compileRe2(pattern)).toThrow(expect.objectContaining({ name: "Error" }));
  });

  it("speaks of what the user wrote", () => {
    expect(() => compileRe2("(?P<year>a")).toThrow("missing closing ): `(?P<year>a`");
  });

  it("gives spans in bytes, one for each damaged byte", () => {
    const damaged = Buffer.from([0x2f, 0xe9, 0x74, 0xe9, 0x2e, 0xc3, 0xa9]);
    expect(compileRe2("\\..$").find(damaged)).toEqual([4, 7]);
    expect(compileRe2("^/.t.\\.").find(damaged)).toEqual([0, 5]);
    expect(compileRe2("é").find("aé")).toEqual([1, 3]);
    expect(compileRe2("x").find("aé")).toBeUndefined();
  });

  it("does not let an expression eat time or memory", () => {
    const text = `${"x".repeat(100_000)}z`;
    for (const pattern of ["(x+x+)+y", "(x|xx)*y", "(.*)*(.*)*y", "(a|b)*a(a|b){500}"]) {
      expect(compileRe2(pattern).test(text)).toBe(false);
    }
    for (const pattern of [
      "a{1000}".repeat(200),
      "(".repeat(100_000),
      "((a{30}){30}b){2}".repeat(4000),
      "x".repeat(70_000),
    ]) {
      expect(() => compileRe2(pattern)).toThrow("too large");
    }
    expect(() => compileRe2("[:".repeat(30_000))).toThrow(/^.{1,200}$/);
  });
});
