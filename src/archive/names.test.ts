import { describe, expect, it } from "vitest";
import { strftime } from "../golang/strftime.ts";
import { couldCollide, createNameMatcher, expandName, formatArchiveName, type NamePattern } from "./names.ts";
import { renderNameTemplate } from "./names-template.ts";

const FIRED = Date.parse("2026-03-04T05:06:07.089Z");

function patternOf(pattern: string, more: Partial<NamePattern> = {}): NamePattern {
  return { pattern, expand: false, lookup: () => undefined, zone: "UTC", compression: "gz", ...more };
}
const format = (pattern: string, more: Partial<NamePattern> = {}): string =>
  formatArchiveName(patternOf(pattern, more), FIRED);

describe("formatArchiveName", () => {
  it.each<[string, string, Partial<NamePattern>?]>([
    ["backup-%Y-%m-%dT%H-%M-%S.{{ .Extension }}", "backup-2026-03-04T05-06-07.tar.gz"],
    [
      "backup-%Y-%m-%dT%H-%M-%S.{{ .Extension }}",
      "backup-2026-03-04T06-06-07.tar.zst",
      { zone: "Europe/Berlin", compression: "zst" },
    ],
    ["b.{{ .Extension }}", "b.tar", { compression: "none" }],
    ["b.{{ .Extension }}", "b.tar.gz.gpg", { encryption: "gpg" }],
    ["b.{{ .Extension }}", "b.tar.gz.age", { encryption: "age" }],
    ["b.tar.gz", "b.tar.gz", { compression: "zst" }],
    ["b.tar.gz", "b.tar.gz.age", { encryption: "age" }],
    ["no-extension", "no-extension"],
    ["a b\n\tc \\ 'd' \"e\" * ? ü 🛟", "a b\n\tc \\ 'd' \"e\" * ? ü 🛟"],
    [" ", " "],
    [".hidden", ".hidden"],
    ["...", "..."],
    ["a..b", "a..b"],
    ["-rf", "-rf"],
    // A slash only made folders in the image's /tmp; the destinations saw the base name.
    ["site/daily/%Y.tar", "2026.tar"],
    ["/abs/x.tar", "x.tar"],
    ["x.tar/", "x.tar"],
    ["x.tar/.", "x.tar"],
    ["%x.tar", "26.tar"],
    ["100%% sure", "100% sure"],
    ["%Q%-%Y%", "2026"],
    ["%{{ .Extension }}", "ar.gz"],
  ])("%j gives %j", (pattern, name, more) => {
    expect(format(pattern, more)).toBe(name);
  });

  it.each([
    "",
    "/",
    ".",
    "./",
    "..",
    "../x",
    "a/../b",
    "/..",
    "a/..",
    "a\0b",
    "%Q",
    "a/%Q",
    "{{/* nothing */}}",
    ".%Q.",
    ".%Q./x",
    ".lifeboat",
    ".x.partial",
    "x".repeat(256),
    "ü".repeat(128),
    "{{ .Extension",
    "{{ .Other }}",
    '{{ printf "x" }}',
    "{{}}",
    "{{-.Extension}}",
  ])("%j is refused", (pattern) => {
    expect(() => format(pattern)).toThrow("BACKUP_FILENAME");
  });

  it("takes names up to 255 bytes, what encryption appends included", () => {
    expect(format("x".repeat(255))).toHaveLength(255);
    expect(() => format("x".repeat(252), { encryption: "gpg" })).toThrow("256 bytes");
  });

  it("expands variables between template and verbs, so that their values may hold verbs, and only when asked", () => {
    const variables: Record<string, string> = { HOST: "web%d", BRACES: "{{ x", UP: "../x" };
    const more = { lookup: (name: string) => variables[name] };
    expect(format("$HOST-$NONE-${HOST}.{{ .Extension }}", { ...more, expand: true })).toBe("web04--web04.tar.gz");
    expect(format("$BRACES.tar", { ...more, expand: true })).toBe("{{ x.tar");
    expect(format("$HOST-%Y.$BRACES", more)).toBe("$HOST-2026.$BRACES");
    expect(() => format("$UP", { ...more, expand: true })).toThrow("..");
    expect(expandName("site-$HOST-%Y", { ...more, expand: true })).toBe("site-web%d-%Y");
    expect(expandName("site-$HOST-%Y", { ...more, expand: false })).toBe("site-$HOST-%Y");
  });
});

describe("renderNameTemplate", () => {
  it.each([
    ["a.{{ .Extension }}", "a.tar"],
    ["a.{{.Extension}}", "a.tar"],
    ["a.{{\t\n.Extension\r }}", "a.tar"],
    ["a. {{- .Extension -}} b", "a.tarb"],
    ["a \n\t{{- .Extension }} b", "atar b"],
    ["a {{ .Extension -}} \n b", "a tarb"],
    ["{{ .Extension -}} {{- .Extension }}", "tartar"],
    ["a{{/* a }} comment */}}b", "ab"],
    ["a {{- /* trimmed */ -}} b", "ab"],
    ["{{ $.Extension }}", "tar"],
    ['{{ "{{" }} }}', "{{ }}"],
    ['{{ `a"b` }}', 'a"b'],
    ["}} is text", "}} is text"],
    ["{ {.Extension}", "{ {.Extension}"],
  ])("%j gives %j, as in Go", (template, text) => {
    expect(renderNameTemplate(template, "tar")).toBe(text);
  });

  it.each([
    "{{",
    "{{ }}",
    "{{.Extension",
    "{{ .extension }}",
    "{{ .Extension.X }}",
    "{{ .Extension | len }}",
    "{{-.Extension }}",
    "{{ .Extension-}}",
    "{{ /* no comment */ }}",
    "{{/* a */ }}",
    "{{ . }}",
    "{{ if true }}x{{ end }}",
    '{{ "a\\"b" }}',
    "{{{ .Extension }}}",
  ])("%j is refused", (template) => {
    expect(() => renderNameTemplate(template, "tar")).toThrow("not understood");
  });

  it("takes no time for many blanks", () => {
    expect(renderNameTemplate(`a${" ".repeat(300_000)}b{{- .Extension }}`, "tar")).toHaveLength(300_005);
  });
});

describe("createNameMatcher", () => {
  const matches = (pattern: string, name: string, more: Partial<NamePattern> = {}): boolean =>
    createNameMatcher(patternOf(pattern, more))(name);
  const DEFAULT = "backup-%Y-%m-%dT%H-%M-%S.{{ .Extension }}";

  it.each([".tar", ".tar.gz", ".tar.zst", ".tar.gpg", ".tar.gz.gpg", ".tar.zst.age", ".tar.age"])(
    "takes %s",
    (extension) => {
      expect(matches(DEFAULT, `backup-2019-12-31T23-59-59${extension}`)).toBe(true);
    },
  );

  it.each([
    "backup-2026-13-01T00-00-00.tar.gz",
    "backup-2026-00-01T00-00-00.tar.gz",
    "backup-2026-01-32T00-00-00.tar.gz",
    "backup-2026-01-01T24-00-00.tar.gz",
    "backup-2026-01-01T00-60-00.tar.gz",
    "backup-26-01-01T00-00-00.tar.gz",
    "backup-2026-1-01T00-00-00.tar.gz",
    "backup-2026-01-01T00-00-00.tar.bz2",
    "backup-2026-01-01T00-00-00.tar.gz.gz",
    "backup-2026-01-01T00-00-00.tar.gpg.age",
    "Backup-2026-01-01T00-00-00.tar.gz",
    "backup-2026-01-01T00-00-00.tar.gz ",
    " backup-2026-01-01T00-00-00.tar.gz",
    "backup-2026-01-01T00-00-00",
    "backup-２０２６-01-01T00-00-00.tar.gz",
    "",
    ".gpg",
    "x/backup-2026-01-01T00-00-00.tar.gz",
    "backup-2026-01-01T00-00-00.tar.gz.partial",
  ])("refuses %j", (name) => {
    expect(matches(DEFAULT, name)).toBe(false);
  });

  it.each<[string, string[], string[]]>([
    [
      "latest.{{ .Extension }}",
      ["latest.tar", "latest.tar.gz", "latest.tar.zst.age"],
      ["latest", "latest1.tar", "latest.tgz"],
    ],
    ["b.tar.gz", ["b.tar.gz", "b.tar.gz.gpg"], ["b.tar", "b.tar.zst", "bxtar.gz"]],
    ["%d", ["01", "31", "07.age"], ["00", "32", "1", "001"]],
    ["%A-%B", ["Monday-May", "Sunday-December"], ["Mon-May", "monday-May", "Monday-"]],
    ["%a%b", ["MonMay"], ["MondayMay", "MonMa"]],
    [
      "%c",
      ["Thu Jan 1 00:00:00 2026", "Sat Oct 31 23:59:59 2026"],
      ["Thu Jan 01 00:00:00 2026", "Thu Jan 32 00:00:00 2026"],
    ],
    ["%x", ["26", "00"], ["1/2/26", "01/02/26", "2026"]],
    ["a/%Y/b-%y", ["b-26"], ["a/2026/b-26", "26"]],
    ["%I%p", ["12AM", "01PM"], ["00AM", "13PM", "12am"]],
    ["%j-%U-%W-%w", ["366-53-00-6"], ["367-53-00-6", "000-00-00-0", "001-54-00-0", "001-00-00-7"]],
    ["%f", ["000000", "089000"], ["00000", "1"]],
    ["%z", ["+0000", "-0330", "+1400"], ["0000", "+00:00", "+0060"]],
    ["x%Zx", ["xCETx", "xUTCx", "x-03x", "x+1030x"], ["xx", "x1x", "x+1x"]],
    ["%Q%%%-", ["%"], ["", "%%", "Q%"]],
    ["a+(b)[c].*", ["a+(b)[c].*"], ["aab[c].x", "a+(b)[c]x"]],
    ["a\nb-%Y", ["a\nb-2026"], ["a b-2026"]],
  ])("knows what %j can give", (pattern, yes, no) => {
    const isName = createNameMatcher(patternOf(pattern));
    expect(yes.filter((name) => !isName(name))).toEqual([]);
    expect(no.filter(isName)).toEqual([]);
  });

  it("knows the value that a variable has now", () => {
    const more = { expand: true, lookup: () => "bob" };
    expect(matches("$USERNAME-%Y.{{ .Extension }}", "bob-2026.tar.gz", more)).toBe(true);
    expect(matches("$USERNAME-%Y.{{ .Extension }}", "bob-2-2026.tar.gz", more)).toBe(false);
    expect(matches("$USERNAME-%Y.{{ .Extension }}", "alice-2026.tar.gz", more)).toBe(false);
  });

  it("takes every name that the pattern gives, at any time, anywhere", () => {
    const pieces = [
      "%a",
      "%A",
      "%w",
      "%d",
      "%b",
      "%B",
      "%m",
      "%y",
      "%Y",
      "%H",
      "%I",
      "%p",
      "%M",
      "%S",
      "%f",
      "%z",
      "%Z",
      "%j",
      "%U",
      "%W",
      "%c",
      "%x",
      "%X",
      "%%",
      "%Q",
      "-",
      "x",
      ".",
      "{{ .Extension }}",
      "%",
      "ü",
      "/",
    ];
    const zones = [
      "UTC",
      "Europe/Berlin",
      "America/St_Johns",
      "Asia/Kathmandu",
      "America/Sao_Paulo",
      "Pacific/Kiritimati",
      "Australia/Lord_Howe",
    ];
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((seed / 2_147_483_648) * below);
    };
    const pick = <T>(list: readonly T[]): T => list[random(list.length)] ?? (list[0] as T);
    for (let round = 0; round < 3000; round += 1) {
      const pattern = patternOf(`n${Array.from({ length: random(8) + 1 }, () => pick(pieces)).join("")}z`, {
        zone: pick(zones),
        compression: pick(["gz", "zst", "none"] as const),
        encryption: pick([undefined, "gpg", "age"] as const),
      });
      const name = formatArchiveName(pattern, random(4_000_000_000) * 1000 + random(1000));
      expect({ pattern: pattern.pattern, name, matches: createNameMatcher(pattern)(name) }).toMatchObject({
        matches: true,
      });
      expect(createNameMatcher(pattern)(`${name}~`)).toBe(false);
    }
  });

  it("takes time in proportion, whatever the pattern", () => {
    const isName = createNameMatcher(patternOf(`${"%Z%B%c".repeat(3000)}.{{ .Extension }}`));
    const start = performance.now();
    for (const name of ["A".repeat(20_000), "CETMay".repeat(3000), "X".repeat(200_000)])
      expect(isName(name)).toBe(false);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it("knows the same verbs as the formatter", () => {
    for (let code = 33; code < 127; code += 1) {
      const verb = `%${String.fromCharCode(code)}`;
      const text = strftime(verb, FIRED, "Europe/Berlin");
      const isName = createNameMatcher(patternOf(`<${verb}>`));
      expect([verb, isName(`<${text}>`.replace(/^.*\//, ""))]).toEqual([verb, verb !== "%/" || text === ""]);
    }
  });
});

describe("couldCollide", () => {
  it.each<[string, string, boolean, Partial<NamePattern>?]>([
    ["backup-%Y.{{ .Extension }}", "backup-%Y.{{ .Extension }}", true],
    ["backup-%Y.{{ .Extension }}", "backup-%Y.{{ .Extension }}", false, { compression: "zst" }],
    ["backup-%Y.{{ .Extension }}", "backup-%Y.{{ .Extension }}", false, { encryption: "age" }],
    ["backup-%Y.tar.gz", "backup-%Y.tar.gz", true, { compression: "zst" }],
    ["backup-%Y.tar", "backup-%H%M.tar", true],
    ["backup-%Y-%m-%d", "backup-%Y-%d-%m", true],
    ["site-%A", "site-Monday", true],
    ["site-Monday", "site-%A", true],
    ["site-%Y", "site2-%Y", false],
    ["a-%Y", "b-%Y", false],
    ["daily/x", "weekly/x", true],
    ["backup-%Y-%m-%d", "backup-%Y-%m", false],
  ])("%j and %j: %s", (a, b, expected, more) => {
    expect(couldCollide(patternOf(a), patternOf(b, more))).toBe(expected);
    expect(couldCollide(patternOf(b, more), patternOf(a))).toBe(expected);
  });
});
