import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { makeFolders } from "./make-folders.ts";

function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("makes what is missing, with the mode, and takes what is there", () => {
  const folder = temporaryFolder();
  const deep = path.join(folder, "a", "b", "c");
  makeFolders(deep, 0o700);
  makeFolders(deep, 0o700);
  makeFolders("/");
  expect(fs.statSync(deep).mode & 0o777).toBe(0o700);
  expect(fs.statSync(path.join(folder, "a")).mode & 0o777).toBe(0o700);
});

test("ends where the system knows no folder below an existing one", () => {
  expect(() => makeFolders("/proc/lifeboat")).toThrow(/ENOENT/);
  expect(() => makeFolders("/proc/lifeboat/state/deeper")).toThrow(/ENOENT/);
});

test("a file in the way and a link that leads nowhere are errors", () => {
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, "file"), "");
  fs.symlinkSync("nowhere", path.join(folder, "link"));
  expect(() => makeFolders(path.join(folder, "file"))).toThrow(/EEXIST/);
  expect(() => makeFolders(path.join(folder, "file", "below"))).toThrow(/ENOTDIR/);
  expect(() => makeFolders(path.join(folder, "link", "below"))).toThrow(/EEXIST|ENOENT/);
});
