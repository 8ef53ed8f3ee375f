import { appendFileSync, mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { createRandom } from "../../bench/random.ts";
import type { ArchiveOptions } from "../../src/contracts/archive.ts";
import { createArchive } from "../../src/archive/write/create.ts";
import { archiveOptions, temporaryFolder } from "./make.ts";

/** What two archives of one tree have in common. */

const FOLDERS = 24;
const FILES_A_FOLDER = 40;

interface Made {
  readonly sha256: string;
  /** SHA-256 of each block, in order. */
  readonly blocks: readonly string[];
}

async function make(source: string, options: Partial<ArchiveOptions>, native = true): Promise<Made> {
  const blocks: string[] = [];
  const onBlock: ArchiveOptions["onBlock"] = ({ sha256 }) => blocks.push(Buffer.from(sha256).toString("hex"));
  const stream = createArchive(archiveOptions([source], { reuseChunks: true, ...options, onBlock }), { native });
  let bytes = 0;
  for await (const chunk of stream.bytes) bytes += chunk.length;
  const { sha256, sizeBytes } = await stream.result;
  expect(bytes).toBe(sizeBytes);
  return { sha256, blocks };
}

const fileOf = (root: string, folder: number, file: number): string =>
  path.join(root, "wp", `plugin-${folder}`, `file-${String(file).padStart(3, "0")}.php`);

/** About 25 MB: code of all sizes, pictures, a dump of several pieces. */
function makeTree(root: string): void {
  const random = createRandom(5);
  const words = Array.from({ length: 2_000 }, () => Math.floor(random() * 2 ** 40).toString(36));
  const noise = Buffer.from(Array.from({ length: 200_000 }, () => Math.floor(random() * 256)));
  for (let folder = 0; folder < FOLDERS; folder += 1) {
    mkdirSync(path.join(root, "wp", `plugin-${folder}`), { recursive: true });
    for (let file = 0; file < FILES_A_FOLDER; file += 1) {
      const text: string[] = [];
      for (let left = 1 + Math.floor(random() ** 3 * 10_000); left > 0; left -= 1) {
        text.push(words[Math.floor(random() ** 2 * words.length)] ?? "");
      }
      const content = file % 9 === 0 ? noise.subarray(Math.floor(random() * 100_000)) : text.join(" ");
      writeFileSync(fileOf(root, folder, file), content);
    }
  }
  writeFileSync(path.join(root, "dump.sql"), `${words.join(" ")}\n`.repeat(400));
  // A folder's time changes with what is in it; those of the tree must not depend on when it was made.
  for (let folder = 0; folder < FOLDERS; folder += 1) utimesSync(path.join(root, "wp", `plugin-${folder}`), 1e9, 1e9);
}

const KINDS = [
  ["gz default", { compression: "gz" }, true],
  ["gz fast", { compression: "gz", level: "fast" }, true],
  ["gz by Node.js", { compression: "gz" }, false],
  ["zst", { compression: "zst" }, true],
  ["none", { compression: "none" }, true],
] as const;

describe("two archives of one tree", () => {
  it("are the same, however many blocks are compressed at the same time", { timeout: 120_000 }, async () => {
    using folder = temporaryFolder();
    makeTree(folder.path);
    for (const [title, options, native] of KINDS) {
      const [first, ...others] = await Promise.all(
        [1, 2, 5].map((parallelism) => make(folder.path, { ...options, parallelism }, native)),
      );
      for (const other of others) expect(other, title).toEqual(first);
    }
  });

  it.each([
    ["gz", 16],
    ["zst", 5],
  ] as const)(
    "%s: differ in few blocks after one file is added, changed or removed",
    async (compression, least) => {
      using folder = temporaryFolder();
      makeTree(folder.path);
      const random = createRandom(6);
      let before = await make(folder.path, { compression, level: "fast" });
      expect(before.blocks.length).toBeGreaterThan(least);
      const changed: number[] = [];
      for (let change = 0; change < 12; change += 1) {
        const at = fileOf(folder.path, Math.floor(random() * FOLDERS), Math.floor(random() * FILES_A_FOLDER));
        if (change % 3 === 0) writeFileSync(`${at}.new`, "a new file\n".repeat(Math.floor(random() * 4_000)));
        else if (change % 3 === 1) appendFileSync(at, "one more line\n");
        else rmSync(at, { force: true });
        const after = await make(folder.path, { compression, level: "fast" });
        const known = new Set(before.blocks);
        changed.push(after.blocks.filter((block) => !known.has(block)).length);
        before = after;
      }
      changed.sort((a, b) => a - b);
      expect(changed[6]).toBeLessThanOrEqual(2);
      expect(changed.at(-1)).toBeLessThanOrEqual(6);
    },
    120_000,
  );
});
