import { linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { archiveOptions, makeArchive, runQuietly, temporaryFolder } from "../../../test/archive/make.ts";
import { estimateSources } from "./estimate.ts";

function makeSite(folder: string): string {
  const site = path.join(folder, "site");
  mkdirSync(path.join(site, "cache", "deep"), { recursive: true });
  writeFileSync(path.join(site, "index.php"), "x".repeat(5_000));
  writeFileSync(path.join(site, `${"n".repeat(120)}é`), "y".repeat(512));
  writeFileSync(path.join(site, "empty"), "");
  linkSync(path.join(site, "index.php"), path.join(site, "same.php"));
  writeFileSync(path.join(site, "cache", "deep", "a.log"), "z".repeat(700));
  symlinkSync("index.php", path.join(site, "link"));
  runQuietly("mkfifo", [path.join(site, "fifo")]);
  return site;
}

it.each<[string, Parameters<typeof archiveOptions>[1], number]>([
  ["everything", {}, 5],
  ["what an expression leaves of it", { excludeRegexp: "\\.php$" }, 3],
  ["what globs leave of it", { excludeGlobs: ["**/cache"] }, 4],
  ["no file of its own", { ownPaths: ["cache/deep"] }, 4],
])("counts as much as an archive holds: %s", async (_title, changes = {}, files) => {
  using folder = temporaryFolder();
  const site = makeSite(folder.path);
  const ownPaths = (changes.ownPaths ?? []).map((own) => path.join(site, own));
  const options = archiveOptions([site], { ...changes, ownPaths });
  const { bytes, result } = await makeArchive([site], options);
  expect(await estimateSources(options)).toEqual({
    files,
    contentBytes: result.bytesRead,
    archiveBytes: bytes.length,
  });
  expect(result.counts.files).toBe(files);
});

it("opens no file: a terabyte of holes takes no time", async () => {
  using folder = temporaryFolder();
  const file = path.join(folder.path, "sparse");
  writeFileSync(file, "");
  truncateSync(file, 2 ** 40);
  expect(await estimateSources(archiveOptions([file]))).toMatchObject({ files: 1, contentBytes: 2 ** 40 });
});

it("is 0 files where there is nothing", async () => {
  expect(await estimateSources(archiveOptions(["/nowhere", "relative"]))).toMatchObject({ files: 0, contentBytes: 0 });
});

it("ends with the signal's reason", async () => {
  const abort = new AbortController();
  const estimate = estimateSources(archiveOptions(["/usr"], { signal: abort.signal }));
  abort.abort(new Error("enough"));
  await expect(estimate).rejects.toThrow("enough");
  await expect(estimateSources(archiveOptions(["/usr"], { signal: abort.signal }))).rejects.toThrow("enough");
});

it("says what is wrong with an exclude", async () => {
  await expect(estimateSources(archiveOptions(["/nowhere"], { excludeRegexp: "a(b" }))).rejects.toThrow(
    "missing closing )",
  );
});
