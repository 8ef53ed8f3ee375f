import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nameNewFile } from "./name-new-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lifeboat-"));
  writeFileSync(join(folder, "partial"), "new");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const failing = (code: string) => (): Promise<void> => Promise.reject(Object.assign(new Error(code), { code }));

describe.each([
  ["with hard links", undefined],
  ["without hard links", failing("EPERM")],
])("a finished file, in a folder %s", (_name, makeLink) => {
  const name = (): Promise<void> => nameNewFile(join(folder, "partial"), join(folder, "final"), makeLink);

  it("gets its name", async () => {
    await name();
    expect(readFileSync(join(folder, "final"), "utf8")).toBe("new");
  });

  it("replaces nothing", async () => {
    writeFileSync(join(folder, "final"), "old");
    await expect(name()).rejects.toMatchObject({ code: "EEXIST" });
    expect(readFileSync(join(folder, "final"), "utf8")).toBe("old");
  });
});

it("passes other failures on, and leaves no empty file", async () => {
  const from = join(folder, "partial");
  await expect(nameNewFile(from, join(folder, "final"), failing("ENOSPC"))).rejects.toMatchObject({ code: "ENOSPC" });
  await expect(nameNewFile(`${from}x`, join(folder, "final"), failing("EPERM"))).rejects.toMatchObject({
    code: "ENOENT",
  });
  expect(readdirSync(folder)).toEqual(["partial"]);
});
