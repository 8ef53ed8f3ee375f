import { execFileSync } from "node:child_process";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import type { ArchiveOptions, ArchiveResult } from "../../src/contracts/archive.ts";
import { createArchive } from "../../src/archive/write/create.ts";
import { archiveOptions, runQuietly, temporaryFolder } from "./make.ts";

const FOLDERS = 100;
const FILES_PER_FOLDER = 1_000;

function run(output: string, options: Partial<ArchiveOptions>): { result: ArchiveResult; peakKilobytes: number } {
  const said = execFileSync(process.execPath, [
    path.join(import.meta.dirname, "run-archive.ts"),
    output,
    JSON.stringify(options),
  ]);
  return JSON.parse(said.toString()) as { result: ArchiveResult; peakKilobytes: number };
}

it("needs no more memory for 100,000 files than for 2,000", { timeout: 240_000 }, () => {
  using folder = temporaryFolder();
  for (let number = 0; number < FOLDERS; number += 1) {
    const sub = path.join(folder.path, number < 2 ? "source/few" : "source/more", `d${number}`);
    mkdirSync(sub, { recursive: true });
    for (let file = 0; file < FILES_PER_FOLDER; file += 1) writeFileSync(path.join(sub, `file-${file}`), `${file}`);
  }
  const output = path.join(folder.path, "archive.tar.gz");
  const few = run(output, { sources: [path.join(folder.path, "source/few")], compression: "gz" });
  const all = run(output, { sources: [path.join(folder.path, "source")], compression: "gz" });
  expect(few.result.counts.files).toBe(2 * FILES_PER_FOLDER);
  expect(all.result.counts.files).toBe(FOLDERS * FILES_PER_FOLDER);
  expect(all.peakKilobytes - few.peakKilobytes).toBeLessThan(80_000);
  expect(
    runQuietly("sh", ["-c", `tar -tzf ${output} | wc -l`])
      .toString()
      .trim(),
  ).toBe(String(FOLDERS * FILES_PER_FOLDER + FOLDERS + 3));
});

it("writes the header of a file that ustar can't hold, and starts on its content", async () => {
  using folder = temporaryFolder();
  const file = path.join(folder.path, "sparse");
  writeFileSync(file, "begin");
  truncateSync(file, 9 * 2 ** 30);
  const stream = createArchive(archiveOptions([file]));
  for await (const chunk of stream.bytes) {
    const text = Buffer.from(chunk).toString("latin1");
    expect(text).toContain("19 size=9663676416\n");
    expect(text.slice(1024 + 512, 1024 + 512 + 5)).toBe("begin");
    break;
  }
  await expect(stream.result).rejects.toThrow("not read to its end");
});
