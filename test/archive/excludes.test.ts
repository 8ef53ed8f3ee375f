import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ArchiveOptions } from "../../src/contracts/archive.ts";
import { entryNames, makeArchive, temporaryFolder } from "./make.ts";

let folder: ReturnType<typeof temporaryFolder>;
let source: string;

beforeAll(() => {
  folder = temporaryFolder();
  source = path.join(folder.path, "backup");
  for (const file of [
    "html/index.php",
    "html/cache/page.html",
    "html/cache/keep.txt",
    "html/node_modules/a/index.js",
    "html/app.log",
    "logs/app.log",
    "logs/old/app.log.1",
    "n\u00e4m\u00eb.log",
  ]) {
    mkdirSync(path.dirname(path.join(source, file)), { recursive: true });
    writeFileSync(path.join(source, file), file);
  }
  writeFileSync(
    Buffer.concat([Buffer.from(`${source}/`), Buffer.from([0x62, 0xff, 0x2e, 0x6c, 0x6f, 0x67])]),
    "not UTF-8",
  );
});
afterAll(() => folder[Symbol.dispose]());

async function kept(options: Partial<ArchiveOptions>): Promise<string[]> {
  const { bytes, notices } = await makeArchive([source], options);
  expect(notices).toEqual([]);
  const prefix = source.slice(1);
  return entryNames(bytes).map((name) => name.slice(prefix.length + 1));
}

const ALL = [
  "",
  "b\xff.log",
  "html",
  "html/app.log",
  "html/cache",
  "html/cache/keep.txt",
  "html/cache/page.html",
  "html/index.php",
  "html/node_modules",
  "html/node_modules/a",
  "html/node_modules/a/index.js",
  "logs",
  "logs/app.log",
  "logs/old",
  "logs/old/app.log.1",
  "n\u00c3\u00a4m\u00c3\u00ab.log",
];
const without = (...gone: string[]): string[] => ALL.filter((name) => !gone.includes(name));

describe("BACKUP_EXCLUDE_REGEXP", () => {
  it("drops a matching folder's entry and keeps its children", async () => {
    expect(await kept({ excludeRegexp: "/cache$" })).toEqual(without("html/cache"));
  });
  it("is not anchored, and sees the full path", async () => {
    expect(await kept({ excludeRegexp: `^${source}/html/` })).toEqual(ALL.filter((name) => !name.startsWith("html/")));
    expect(await kept({ excludeRegexp: "x/y/z" })).toEqual(ALL);
  });
  it("sees the source itself, without a slash at the end", async () => {
    expect(await kept({ excludeRegexp: "/backup$" })).toEqual(without(""));
  });
  it("sees names that are not UTF-8, and characters", async () => {
    expect(await kept({ excludeRegexp: "\\.log$" })).toEqual(
      without("b\xff.log", "html/app.log", "logs/app.log", "n\u00c3\u00a4m\u00c3\u00ab.log"),
    );
    expect(await kept({ excludeRegexp: "n.m.\\.log|b.\\.log" })).toEqual(
      without("b\xff.log", "n\u00c3\u00a4m\u00c3\u00ab.log"),
    );
  });
  it("leaves nothing where everything matches", async () => {
    const { result } = await makeArchive([source], { excludeRegexp: "." });
    expect(result.counts).toEqual({ files: 0, directories: 0, symlinks: 0, hardlinks: 0, others: 0 });
    expect(result.sizeBytes).toBe(1024);
  });
  it("that is empty excludes nothing", async () => {
    expect(await kept({ excludeRegexp: "" })).toEqual(ALL);
  });
});

describe("BACKUP_EXCLUDE_GLOBS", () => {
  it("prunes whole subtrees", async () => {
    expect(await kept({ excludeGlobs: [`${source}/html/cache`] })).toEqual(
      ALL.filter((name) => !name.startsWith("html/cache")),
    );
    expect(await kept({ excludeGlobs: ["node_modules", "*.log"] })).toEqual(
      ALL.filter((name) => !name.includes("node_modules") && !name.endsWith(".log")),
    );
  });
  it("with a slash at the end means folders only", async () => {
    expect(await kept({ excludeGlobs: ["app.log/", "old/"] })).toEqual(without("logs/old", "logs/old/app.log.1"));
  });
  it("and a regular expression work together", async () => {
    expect(await kept({ excludeGlobs: ["html"], excludeRegexp: "logs$" })).toEqual(
      ALL.filter((name) => !name.startsWith("html") && name !== "logs"),
    );
  });
  it("does not report what is excluded", async () => {
    const { result } = await makeArchive([source], { excludeGlobs: [source] });
    expect(result.sources[0]).toMatchObject({ counts: { files: 0, directories: 0 } });
  });
});
