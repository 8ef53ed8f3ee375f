import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { createArchive } from "../../src/archive/write/create.ts";
import { archiveOptions, listWithPython, makeArchive, runQuietly, temporaryFolder } from "./make.ts";

const LEVELS = 3_000;

/** Folders within folders, far below what a path can say; each holds a file before and one behind the next folder. */
const MAKE_DEEP = `
import os, sys
os.chdir(sys.argv[1])
for level in range(int(sys.argv[2])):
    open("a", "w").write(str(level))
    open("z", "w").write(str(level))
    os.mkdir("d")
    os.chdir("d")
`;

it("archives a tree of 3,000 levels with few descriptors", { timeout: 60_000 }, async () => {
  using folder = temporaryFolder();
  const source = path.join(folder.path, "source");
  mkdirSync(source);
  runQuietly("python3", ["-c", MAKE_DEEP, source, String(LEVELS)]);
  const descriptorsBefore = readdirSync("/proc/self/fd").length;
  let descriptors = 0;
  const stream = createArchive(archiveOptions([source]));
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream.bytes) {
    chunks.push(chunk);
    descriptors = Math.max(descriptors, readdirSync("/proc/self/fd").length - descriptorsBefore);
  }
  const { counts, notices } = await stream.result;
  expect(notices).toEqual({});
  expect(counts).toMatchObject({ files: 2 * LEVELS, directories: LEVELS + 1 });
  expect(descriptors).toBeLessThan(120);
  const entries = listWithPython(Buffer.concat(chunks));
  const prefix = source.slice(1);
  expect(entries).toHaveLength(3 * LEVELS + 1);
  expect(entries[3]?.name).toBe(`${prefix}/d/a`);
  expect(entries.at(-1)?.name).toBe(`${prefix}/z`);
  const deepest = `${prefix}${"/d".repeat(LEVELS)}`;
  expect(entries[2 * LEVELS]).toMatchObject({ name: deepest, type: "5" });
  expect(entries[2 * LEVELS + 1]?.name).toBe(`${deepest.slice(0, -2)}/z`);
});

it("finds its way back where a deep tree is moved meanwhile", { timeout: 60_000 }, async () => {
  using folder = temporaryFolder();
  const source = path.join(folder.path, "source");
  mkdirSync(path.join(source, "top"), { recursive: true });
  runQuietly("python3", ["-c", MAKE_DEEP, path.join(source, "top"), "300"]);
  // The walk stands still in the large file, 200 levels down, until the first block is read.
  writeFileSync(path.join(source, "top", ...Array<string>(200).fill("d"), "b-large"), Buffer.alloc(40_000_000));
  const stream = createArchive(archiveOptions([source], { parallelism: 1 }));
  let bytes = 0;
  for await (const chunk of stream.bytes) {
    if (bytes === 0)
      runQuietly("mv", [path.join(source, "top", ...Array<string>(50).fill("d")), path.join(folder.path, "moved")]);
    bytes += chunk.length;
  }
  const { counts, notices } = await stream.result;
  // Nothing is lost, as the way up does not go by names: `..` of the moved folder is the only one that leads elsewhere.
  expect(notices).toEqual({});
  expect(counts).toMatchObject({ files: 601, directories: 302 });
});

it("is not led in circles by links", async () => {
  using folder = temporaryFolder();
  runQuietly("ln", ["-s", ".", path.join(folder.path, "loop")]);
  runQuietly("ln", ["-s", "..", path.join(folder.path, "up")]);
  expect((await makeArchive([folder.path])).result.counts).toMatchObject({ directories: 1, symlinks: 2 });
});
