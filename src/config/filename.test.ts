import { describe, expect, it } from "vitest";
import { checkFilename, sampleName } from "./filename.ts";

const plain = { expand: false, environment: {} };

describe("names of archives", () => {
  it.each([
    "backup-%Y-%m-%dT%H-%M-%S.{{ .Extension }}",
    "{{.Extension}}",
    "x {{- .Extension -}} y",
    "a/b/c-%S.tar.gz",
    "line\nbreak and blanks ",
    "}} is only text",
    "$USERNAME-%Y",
    "/absolute-%Y",
    ".hidden",
    "ü-%Y",
  ])("%j is fine", (pattern) => expect(checkFilename(pattern, plain)).toEqual({ warnings: [] }));

  it.each([
    [".", "empty name"],
    ["..", '".."'],
    ["../x", '".."'],
    ["a/../b", '".."'],
    ["a..b", '".."'],
    // The unknown verb vanishes and leaves two dots.
    [".%q.", '".."'],
    ["/", "empty name"],
    ["a/./", undefined],
    ["%q", "empty name"],
    ["x/%", undefined],
    [".lifeboat", "folder of the records"],
    [".x-%Y.partial", "unfinished archives"],
    ["{{ .Name }}", "only {{ .Extension }}"],
    ["{{ printf .Extension }}", "only {{ .Extension }}"],
    ["{{{ .Extension }}", "only {{ .Extension }}"],
    ["{{-.Extension}}", "only {{ .Extension }}"],
    ["{{ .Extension", "only {{ .Extension }}"],
    ["{{/* c */}}", "only {{ .Extension }}"],
  ])("%j", (pattern, error) => {
    expect(checkFilename(pattern, plain).error ?? "fine").toContain(error ?? "fine");
  });

  it("refuses what no file system takes, quickly", () => {
    expect(checkFilename("x".repeat(256), plain).error).toContain("over 255 bytes");
    expect(checkFilename("ü".repeat(128), plain).error).toContain("over 255 bytes");
    expect(checkFilename(`${"x".repeat(300)}/y`, plain).error).toBeUndefined();
    expect(checkFilename(" ".repeat(1_000_000), plain).error).toContain("longer than 4096");
  });

  it("names the verbs that vanish", () => {
    expect(checkFilename("backup-%F-%e.tar", plain).warnings).toEqual(["%F, %e are not understood and vanish"]);
    expect(checkFilename("backup-%F.tar", plain).warnings).toEqual(["%F is not understood and vanishes"]);
  });

  it("expands variables before it judges", () => {
    const context = { expand: true, environment: { SITE: "blog", UP: "../x", HUGE: "y".repeat(10_000) } };
    expect(checkFilename("$SITE-%Y", context)).toEqual({ warnings: [] });
    expect(checkFilename("$UP", context).error).toContain('".."');
    expect(checkFilename("$NOPE", context)).toMatchObject({
      error: "gives an empty name",
      warnings: ["$NOPE is not set and becomes nothing"],
    });
    expect(checkFilename("$HUGE", context).error).toContain("longer than 4096");
    expect(checkFilename("$constructor-x", context).warnings).toEqual(["$constructor is not set and becomes nothing"]);
  });

  it("shows the name at an instant", () => {
    const sample = { ...plain, extension: "tar.zst", zone: "Europe/Berlin", instantMs: Date.UTC(2026, 10, 22, 23, 30) };
    expect(sampleName("x/site-%Y%m%d-%H.{{ .Extension }}", sample)).toBe("site-20261123-00.tar.zst");
    expect(sampleName("site {{- .Extension -}} x", sample)).toBe("sitetar.zstx");
  });
});
