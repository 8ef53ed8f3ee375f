/**
 * Runs every `sh` block of docs/restore.md against archives that the program made. A comment above a block says what must
 * come of it:
 *
 *   <!-- checked: prints TEXT -->      its output holds TEXT
 *   <!-- checked: FOLDER -->           FOLDER is the same as the source folder of its last name (`restored/backup`)
 *   <!-- checked: FOLDER = html -->    FOLDER is the same as `backup/html`
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codeBlocks, readPage, ROOT } from "./markdown.ts";

const blocks = codeBlocks(readPage("docs/restore.md")).filter((block) => block.language === "sh");

const work = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "lifeboat-restore-docs-")));
const source = path.join(work, "backup");
const archives = path.join(work, "archives");
const bin = path.join(work, "bin");
/** How the entries are called here instead of `backup/…`. */
const entryPrefix = source.slice(1);

const environment = {
  PATH: `${bin}:${process.env["PATH"] ?? "/usr/bin:/bin"}`,
  HOME: work,
  TZ: "UTC",
  LC_ALL: "C.UTF-8",
  CONFIG_DIR: undefined,
  STATE_DIR: path.join(work, "state"),
  LOCK_FILE: path.join(work, "lock"),
  BACKUP_SOURCES: source,
  BACKUP_FILENAME: "site.{{ .Extension }}",
} as const;

beforeAll(() => {
  makeSource();
  fs.mkdirSync(archives);
  fs.mkdirSync(bin);
  fs.mkdirSync(environment.STATE_DIR);
  const main = path.join(ROOT, "src", "main.ts");
  fs.writeFileSync(path.join(bin, "lifeboat"), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, {
    mode: 0o755,
  });
  for (const compression of ["zst", "gz"]) {
    const run = shell("lifeboat run", archives, { BACKUP_ARCHIVE: archives, BACKUP_COMPRESSION: compression });
    expect(`${run.status} ${run.output}`).toMatch(/^0 /);
  }
}, 120_000);

afterAll(() => {
  fs.rmSync(work, { recursive: true, force: true });
});

describe("the commands of docs/restore.md", () => {
  it("are there", () => {
    expect(blocks.length).toBeGreaterThan(15);
    expect(
      blocks.filter((block) => block.comment?.startsWith("checked: ") !== true).map((block) => `line ${block.line}`),
    ).toEqual([]);
  });

  for (const block of blocks) {
    const needs = ["tar", "bsdtar", "python3", "zstd", "gzip", "sha256sum"].filter((tool) =>
      new RegExp(`\\b${tool}\\b`).test(block.text),
    );
    if (/--zstd|site\.tar\.zst/.test(block.text) && /\btar\b/.test(block.text)) needs.push("zstd");
    const missing = needs.filter((tool) => !isInstalled(tool));
    const title = `line ${block.line}: ${block.text.split("\n")[0] ?? ""}${missing.length === 0 ? "" : ` (no ${missing.join(", ")} here)`}`;

    it.skipIf(missing.length > 0)(title, { timeout: 60_000 }, () => {
      const folder = fs.mkdtempSync(path.join(work, "block-"));
      fs.cpSync(archives, folder, { recursive: true, preserveTimestamps: true });
      const { status, output } = shell(`set -eu\n${forThisFolder(block.text)}`, folder, { BACKUP_ARCHIVE: folder });
      expect(`${status}\n${output}`).toMatch(/^0\n/);
      const wanted = block.comment?.replace("checked: ", "") ?? "";
      if (wanted.startsWith("prints ")) expect(output).toContain(wanted.slice("prints ".length));
      else expectSame(folder, wanted);
    });
  }
});

/** A small site with what is easily lost: links, an empty folder, odd names, times before the present. */
function makeSource(): void {
  const at = (...parts: string[]): string => path.join(source, ...parts);
  fs.mkdirSync(at("html", "images"), { recursive: true });
  fs.mkdirSync(at("html", "empty folder"));
  fs.mkdirSync(at("mysql"));
  fs.writeFileSync(at("html", "index.html"), "<h1>some page</h1>\n");
  fs.writeFileSync(at("html", "ünï ☂.txt"), "odd names are fine\n");
  fs.writeFileSync(at("html", `${"long-".repeat(40)}name.txt`), "a name of 208 letters\n");
  fs.writeFileSync(at("html", "images", "photo.jpg"), Buffer.alloc(300_000, "a photo is never this regular "));
  fs.symlinkSync("index.html", at("html", "start.html"));
  fs.linkSync(at("html", "index.html"), at("html", "again.html"));
  fs.writeFileSync(at("mysql", "shop.sql"), "create table orders (id int);\n");
  fs.utimesSync(at("html", "index.html"), 1_000_000_000.5, 1_000_000_000.5);
}

/** The source lies in a temporary folder, so its entries have a longer path in front of `backup/`. */
function forThisFolder(commands: string): string {
  const depth = entryPrefix.split("/").length - 1;
  return commands
    .replaceAll(/\bbackup\//g, `${entryPrefix}/`)
    .replaceAll(/--strip-components=(\d+)/g, (_, count: string) => `--strip-components=${Number(count) + depth}`);
}

function expectSame(folder: string, wanted: string): void {
  const [restored = "", name = path.basename(restored)] = wanted.split(" = ");
  const original = name === "backup" ? source : path.join(source, name);
  const there = path.join(folder, `${restored}/`.replace(/\bbackup\//, `${entryPrefix}/`));
  const { stdout, stderr, status } = spawnSync("diff", ["-r", "--no-dereference", original, there], {
    encoding: "utf8",
  });
  expect(`${status ?? ""} ${stdout}${stderr}`.trim()).toBe("0");
  const times = (top: string): number =>
    fs.statSync(path.join(top, ...(name === "backup" ? ["html"] : []), "index.html")).mtimeMs;
  expect(Math.floor(times(there) / 1000)).toBe(Math.floor(times(original) / 1000));
}

function shell(commands: string, cwd: string, more: Record<string, string>): { status: number | null; output: string } {
  const { status, stdout, stderr, error } = spawnSync("sh", ["-c", commands], {
    cwd,
    env: { ...environment, ...more },
    encoding: "utf8",
    timeout: 55_000,
  });
  return { status, output: `${stdout}${stderr}${error === undefined ? "" : String(error)}` };
}

function isInstalled(tool: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${tool}`]).status === 0;
}
