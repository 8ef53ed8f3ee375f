import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { ArchiveNotice } from "../../src/contracts/archive.ts";
import { createArchive } from "../../src/archive/write/create.ts";
import { archiveOptions, listWithPython, makeArchive, runQuietly, temporaryFolder } from "./make.ts";

/** Folders that other processes change while they are archived. */

const LARGE_BYTES = 40_000_000;

/** Archives `source`; `change` runs when the first block of the (first) large file was read, and the walk stands still. */
async function archiveAndChange(
  source: string,
  change: () => void,
): Promise<{ tar: Buffer; notices: ArchiveNotice[]; incomplete: number }> {
  const notices: ArchiveNotice[] = [];
  const stream = createArchive(
    archiveOptions([source], { parallelism: 1, onNotice: (notice) => notices.push(notice) }),
  );
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream.bytes) {
    if (chunks.length === 0) change();
    chunks.push(chunk);
  }
  const { incomplete } = await stream.result;
  return { tar: Buffer.concat(chunks), notices, incomplete };
}

function folderWithLargeFile(root: string): string {
  const source = path.join(root, "source");
  mkdirSync(path.join(source, "later"), { recursive: true });
  writeFileSync(path.join(source, "a-large"), Buffer.alloc(LARGE_BYTES, "x"));
  writeFileSync(path.join(source, "b-small"), "small");
  writeFileSync(path.join(source, "later", "c-small"), "small");
  return source;
}

describe("a file that", () => {
  it("shrinks is padded with zeros", async () => {
    using folder = temporaryFolder();
    const source = folderWithLargeFile(folder.path);
    const { tar, notices, incomplete } = await archiveAndChange(source, () =>
      truncateSync(path.join(source, "a-large"), 9_000_000),
    );
    expect(notices).toMatchObject([{ kind: "shrunk", path: `${source}/a-large`, incomplete: true }]);
    expect(notices[0]?.detail).toBe(
      "shrank from 40000000 bytes to 9000000 while being read: the rest was filled with zeros",
    );
    expect(incomplete).toBe(1);
    const entry = listWithPython(tar).find(({ name }) => name.endsWith("a-large"));
    expect(entry?.size).toBe(LARGE_BYTES);
    const content = tar.subarray(tar.indexOf("xxxx"));
    expect(content.subarray(8_999_999, 9_000_001)).toEqual(Buffer.from("x\0"));
    expect(content.subarray(9_000_000, LARGE_BYTES).every((byte) => byte === 0)).toBe(true);
    expect(listWithPython(tar)).toHaveLength(5);
  });

  it("grows is cut at its first-seen size", async () => {
    using folder = temporaryFolder();
    const source = folderWithLargeFile(folder.path);
    const { tar, notices, incomplete } = await archiveAndChange(source, () =>
      appendFileSync(path.join(source, "a-large"), "more"),
    );
    expect(notices).toMatchObject([{ kind: "grew", path: `${source}/a-large`, incomplete: false }]);
    expect(incomplete).toBe(0);
    expect(listWithPython(tar).map(({ size }) => size)).toEqual([0, LARGE_BYTES, 5, 0, 5]);
    expect(tar.includes("more")).toBe(false);
  });

  it("vanishes after it was listed is left out", async () => {
    using folder = temporaryFolder();
    const source = folderWithLargeFile(folder.path);
    const { tar, notices, incomplete } = await archiveAndChange(source, () => rmSync(path.join(source, "b-small")));
    expect(notices).toMatchObject([{ kind: "vanished", path: `${source}/b-small`, incomplete: true }]);
    expect(incomplete).toBe(1);
    expect(listWithPython(tar)).toHaveLength(4);
  });

  it("is replaced by a FIFO that nobody writes to is stored as that, without a wait", async () => {
    using folder = temporaryFolder();
    const source = folderWithLargeFile(folder.path);
    const { tar, notices, incomplete } = await archiveAndChange(source, () => {
      rmSync(path.join(source, "b-small"));
      runQuietly("mkfifo", [path.join(source, "b-small")]);
    });
    expect(notices).toEqual([]);
    expect(incomplete).toBe(0);
    expect(listWithPython(tar).map(({ type }) => type)).toEqual(["5", "0", "6", "5", "0"]);
  });

  it("is replaced by a folder, a folder by a link, before they are met are stored as what they are now", async () => {
    using folder = temporaryFolder();
    const source = folderWithLargeFile(folder.path);
    const { tar, notices } = await archiveAndChange(source, () => {
      rmSync(path.join(source, "b-small"));
      mkdirSync(path.join(source, "b-small"));
      writeFileSync(path.join(source, "b-small", "new"), "new");
      renameSync(path.join(source, "later"), path.join(source, "aside"));
      symlinkSync(folder.path, path.join(source, "later"));
    });
    expect(notices).toEqual([]);
    const entries = listWithPython(tar).map(({ name, type, link }) => [path.basename(name), type, link]);
    expect(entries).toEqual([
      ["source", "5", ""],
      ["a-large", "0", ""],
      ["b-small", "5", ""],
      ["new", "0", ""],
      ["later", "2", folder.path],
    ]);
  });
});

describe("a folder", () => {
  it("that moves away while it is read is read from where it is", async () => {
    using folder = temporaryFolder();
    const source = path.join(folder.path, "source");
    mkdirSync(path.join(source, "inner"), { recursive: true });
    writeFileSync(path.join(source, "inner", "large"), Buffer.alloc(LARGE_BYTES, "x"));
    writeFileSync(path.join(source, "inner", "z-last"), "last");
    const { tar, notices } = await archiveAndChange(source, () => {
      renameSync(path.join(source, "inner"), path.join(source, "moved"));
      symlinkSync(folder.path, path.join(source, "inner"));
    });
    expect(notices).toEqual([]);
    expect(listWithPython(tar).map(({ name }) => path.basename(name))).toEqual(["source", "inner", "large", "z-last"]);
  });

  it("under heavy change still gives valid archives", { timeout: 60_000 }, async () => {
    using folder = temporaryFolder();
    const source = path.join(folder.path, "source");
    const child = spawn("python3", [path.join(import.meta.dirname, "change_files.py"), source], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      await once(child.stdout, "data");
      const kinds = new Set<string>();
      let noticed = 0;
      for (const end = Date.now() + 8_000; Date.now() < end;) {
        const { bytes, result, notices } = await makeArchive([source]);
        // Python checks every header's sum, and that contents and headers follow each other to the end.
        const entries = listWithPython(bytes);
        const { files, directories, symlinks, hardlinks, others } = result.counts;
        expect(entries).toHaveLength(files + directories + symlinks + hardlinks + others);
        expect(notices.filter(({ incomplete }) => incomplete)).toHaveLength(result.incomplete);
        expect(Object.values(result.notices).reduce((sum, count) => sum + count, 0)).toBe(notices.length);
        noticed += notices.length;
        for (const { kind } of notices) kinds.add(kind);
      }
      expect(noticed).toBeGreaterThan(0);
      expect([...kinds].sort()).toContain("vanished");
    } finally {
      child.kill("SIGKILL");
    }
  });
});
