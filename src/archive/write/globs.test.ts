import { describe, expect, it } from "vitest";
import { createExcludes } from "./exclude.ts";

function matches(glob: string, path: string, isFolder = false): boolean {
  return createExcludes(undefined, [glob]).prunes(Buffer.from(path).toString("latin1"), isFolder);
}

describe("a glob", () => {
  it.each([
    ["/backup/cache", ["/backup/cache"], ["/backup/cache2", "/x/backup/cache", "/backup/cache/x", "/backup"]],
    ["cache", ["/cache", "/a/cache", "/a/b/cache"], ["/a/mycache", "/cache/a", "/a/cached"]],
    ["*.log", ["/a.log", "/b/.log", "/b/x y.log"], ["/a.log.1", "/a.log/b", "/alog"]],
    ["/backup/*.log", ["/backup/a.log"], ["/backup/x/a.log", "/backup/.log/x"]],
    ["/backup/*/cache", ["/backup/a/cache"], ["/backup/cache", "/backup/a/b/cache"]],
    ["a/b", ["/a/b", "/x/a/b"], ["/xa/b", "/a/b/c", "/a/x/b"]],
    ["**/cache", ["/cache", "/a/b/cache"], ["/acache"]],
    ["/backup/**/cache", ["/backup/cache", "/backup/a/cache", "/backup/a/b/cache"], ["/backup/acache", "/cache"]],
    ["/backup/**", ["/backup/a", "/backup/a/b"], ["/backup", "/backup2"]],
    ["a**b", ["/ab", "/axxb"], ["/a/b"]],
    ["?", ["/a", "/x/\u00e9"], ["/ab", "/x/"]],
    ["/b?ckup", ["/backup"], ["/b/ckup", "/bckup"]],
    ["[abc]x", ["/ax", "/cx"], ["/dx", "/abx"]],
    ["[a-c]x", ["/bx"], ["/dx", "/-x"]],
    ["[!a-c]x", ["/dx"], ["/bx", "/x", "/q/x"]],
    ["[^a]x", ["/bx"], ["/ax", "//x"]],
    ["[]a]x", ["/]x", "/ax"], ["/bx"]],
    ["[!]]x", ["/ax"], ["/]x"]],
    ["[a-]x", ["/ax", "/-x"], ["/bx"]],
    ["[+-9]x", ["/,x", "/5x"], ["//x"]],
    ["[z-a]x", [], ["/ax", "/zx"]],
    ["[\u00e0-\u00ff]", ["/\u00e9"], ["/e", "/\u0100"]],
    ["[\\]]x", ["/]x"], ["/\\x"]],
    ["[abc", ["/[abc"], ["/a"]],
    ["\\*x", ["/*x"], ["/ax", "/\\*x"]],
    ["a\\", ["/a\\"], ["/a"]],
    ["a.b+c(d)|e{2}$^", ["/a.b+c(d)|e{2}$^"], ["/aXb+c(d)|e{2}$^"]],
    ["{a,b}", ["/{a,b}"], ["/a"]],
    ["/", [], ["/", "/a", ""]],
    ["", [], ["/", "/a", ""]],
    ["line\nbreak*", ["/line\nbreak\nmore"], ["/line"]],
    ["*", ["/a", "/a/b\nc"], []],
    ["Cache", ["/Cache"], ["/cache"]],
  ] as const)("%j", (glob, yes, no) => {
    expect(yes.filter((path) => !matches(glob, path))).toEqual([]);
    expect(no.filter((path) => matches(glob, path))).toEqual([]);
  });

  it("with a slash at the end is for folders", () => {
    expect(matches("cache/", "/a/cache", true)).toBe(true);
    expect(matches("cache/", "/a/cache", false)).toBe(false);
    expect(matches("/a/**/", "/a/cache", true)).toBe(true);
  });

  it("matches bytes that are not UTF-8 with wildcards", () => {
    const { prunes } = createExcludes(undefined, ["a*.log", "b?", "[!x]"]);
    for (const path of ["/a\xff\xfe.log", "/b\xff", "/\xff"]) expect(prunes(path, false)).toBe(true);
    for (const path of ["/a\xff", "/b\xff\xff", "/x"]) expect(prunes(path, false)).toBe(false);
  });

  it("takes linear time, whatever it is", () => {
    const { prunes } = createExcludes(undefined, ["a*".repeat(200) + "b", "**/".repeat(100) + "x", "*?".repeat(200)]);
    const began = performance.now();
    for (let round = 0; round < 20; round += 1) prunes(`/${"a".repeat(4_000)}/${"a/".repeat(500)}c`, true);
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});
