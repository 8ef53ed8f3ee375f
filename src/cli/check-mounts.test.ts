import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { mountWarnings } from "./check-mounts.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lifeboat-"));
  for (const name of ["site.env", "with blank.env"]) writeFileSync(join(folder, name), "");
});
afterEach(() => rmSync(folder, { recursive: true }));

const line = (path: string): string => `36 35 98:0 /x ${path.replaceAll(" ", "\\040")} rw,noatime - ext4 /dev/sda1 rw`;

it("warns of config files that are mount points of their own, blanks in names included", () => {
  const warnings = mountWarnings(folder, [line("/"), line(join(folder, "with blank.env"))].join("\n"));
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain("with blank.env is mounted as a single file");
});

it("says nothing of a mounted folder, or where nothing can be known", () => {
  expect(mountWarnings(folder, line(folder))).toEqual([]);
  expect(mountWarnings(folder, "")).toEqual([]);
  expect(mountWarnings(join(folder, "missing"), line(folder))).toEqual([]);
});
