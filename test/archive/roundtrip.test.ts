import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { snapshotTree } from "./snapshot.ts";
import { isRoot, listWithPython, makeArchive, makeArchiveFile, runQuietly, temporaryFolder } from "./make.ts";

/** Everything that is hard to archive, read back by the programs that users have. */

/** GNU tar does not know the keyword that says that a name is not UTF-8 (it needs none), and finds odd times odd. */
const GNU_TAR = ["--warning=no-unknown-keyword", "--warning=no-timestamp", "--numeric-owner"];
const EXTERNAL_PROGRAM_TIMEOUT_MS = 240_000;

let folder: ReturnType<typeof temporaryFolder>;
let tree: string;

beforeAll(() => {
  folder = temporaryFolder();
  tree = path.join(folder.path, "tree");
  runQuietly("python3", [path.join(import.meta.dirname, "odd_tree.py"), tree, "10000"]);
});
afterAll(() => folder[Symbol.dispose]());

// An unprivileged user can't read files of mode 000, nor restore owners.
describe.runIf(isRoot)("an archive of an odd tree", () => {
  it.each(["copy", "link"] as const)("is the same to GNU tar, hard links as %s", async (hardlinks) => {
    const file = path.join(folder.path, `gnu-${hardlinks}.tar`);
    const { result, notices } = await makeArchiveFile(file, [tree], { hardlinks });
    expect(notices).toEqual([]);
    expect(result.counts.hardlinks).toBe(hardlinks === "link" ? 4 : 0);
    expect(runQuietly("tar", [...GNU_TAR, "--compare", "-f", file, "-C", "/"]).toString()).toBe("");
  });

  it.each([
    ["GNU tar", "copy", "tar", [...GNU_TAR, "-xpf"]],
    ["GNU tar", "link", "tar", [...GNU_TAR, "-xpf"]],
    ["bsdtar", "copy", "bsdtar", ["--numeric-owner", "-xpf"]],
    ["bsdtar", "link", "bsdtar", ["--numeric-owner", "-xpf"]],
  ] as const)("extracts to the same tree with %s, hard links as %s", async (_title, hardlinks, program, args) => {
    const file = path.join(folder.path, "extract.tar");
    await makeArchiveFile(file, [tree], { hardlinks });
    using target = temporaryFolder();
    runQuietly(program, [...args, file], target.path);
    const before = snapshotTree(tree, hardlinks === "link");
    const after = snapshotTree(path.join(target.path, tree), hardlinks === "link");
    // libarchive reads the fraction of a negative time as a positive one.
    const known = program === "bsdtar" ? /^times\/-(1|1500000000|86400000000001) / : /^$/;
    const wanted = before.filter((line) => !known.test(line));
    expect(after.filter((line) => !known.test(line))).toEqual(wanted);
    expect(wanted.length).toBeGreaterThan(10_100);
  });

  it("lists the same to Python, in sorted order", async () => {
    const { bytes, result } = await makeArchive([tree]);
    const prefix = tree.slice(1);
    const listed = listWithPython(bytes);
    const names = listed.map((entry) => entry.name);
    expect(names[0]).toBe(prefix);
    const keys = names.map((name) => name.replaceAll("/", "\0"));
    expect([...keys].sort()).toEqual(keys);
    expect(listed.filter((entry) => entry.type === "0")).toHaveLength(result.counts.files);
    const lines = listed.map((entry) => {
      const type = { "0": "-", "1": "-", "2": "l", "3": "c", "4": "b", "5": "d", "6": "p" }[entry.type];
      const content = type === "-" ? entry.sha256 : type === "l" ? entry.link : "";
      const device = type === "c" || type === "b" ? `${entry.major}:${entry.minor}` : "";
      return [
        entry.name.slice(prefix.length + 1),
        type,
        entry.mode.toString(8),
        `${entry.uid}:${entry.gid}`,
        entry.mtime,
        content,
        device,
      ].join(" ");
    });
    expect(lines.sort()).toEqual(snapshotTree(tree, false).sort());
  });

  it.runIf(spawnSync("go", ["version"]).status === 0)(
    "lists the same to Go",
    async () => {
      const file = path.join(folder.path, "go.tar");
      const { bytes } = await makeArchiveFile(file, [tree]);
      const program = path.join(import.meta.dirname, "list_entries.go");
      const done = spawnSync("go", ["run", program, file], { maxBuffer: 2 ** 28 });
      expect(done.stderr.toString()).toBe("");
      const wanted = listWithPython(bytes).map(
        (entry) =>
          `${Buffer.from(entry.name, "latin1").toString("hex")} ${entry.type} ${entry.mode} ${entry.uid} ${entry.gid} ${entry.size} ${entry.sha256}`,
      );
      expect(done.stdout.toString().trimEnd().split("\n")).toEqual(wanted);
    },
    EXTERNAL_PROGRAM_TIMEOUT_MS,
  );

  it("is the same tar through gzip, zstd and nothing", async () => {
    const plain = await makeArchive([tree]);
    expect(createHash("sha256").update(plain.bytes).digest("hex")).toBe(plain.result.sha256);
    expect(plain.bytes.length).toBe(plain.result.sizeBytes);
    for (const compression of ["gz", "zst"] as const) {
      for (const level of ["fast", "default"] as const) {
        const file = path.join(folder.path, `all.${compression}`);
        const { bytes, result } = await makeArchiveFile(file, [tree], { compression, level });
        const program = compression === "gz" ? "gzip" : "zstd";
        expect(runQuietly(program, ["-q", "-dc", file]).equals(plain.bytes)).toBe(true);
        const inNode = compression === "gz" ? gunzipSync(bytes) : zstdDecompressSync(bytes);
        expect(inNode.equals(plain.bytes)).toBe(true);
        expect(createHash("sha256").update(bytes).digest("hex")).toBe(result.sha256);
        expect(bytes.length).toBeLessThan(plain.bytes.length / 2);
      }
    }
    runQuietly("bsdtar", ["-tf", path.join(folder.path, "all.gz")]);
    runQuietly("bsdtar", ["-tf", path.join(folder.path, "all.zst")]);
    runQuietly("tar", [...GNU_TAR, "--compare", "-zf", path.join(folder.path, "all.gz"), "-C", "/"]);
  });

  it.each(["gz", "zst", "none"] as const)("has the same bytes with any parallelism (%s)", async (compression) => {
    const first = await makeArchive([tree], { compression, parallelism: 1 });
    for (const parallelism of [0, 2, 16]) {
      expect((await makeArchive([tree], { compression, parallelism })).result.sha256).toBe(first.result.sha256);
    }
  });
});

describe("an archive", () => {
  it("of an empty folder has one entry and is readable", async () => {
    using empty = temporaryFolder();
    mkdirSync(path.join(empty.path, "nothing"));
    const source = path.join(empty.path, "nothing");
    for (const compression of ["none", "gz", "zst"] as const) {
      const file = path.join(empty.path, `empty.${compression}`);
      const { result } = await makeArchiveFile(file, [source], { compression });
      expect(result.counts).toEqual({ files: 0, directories: 1, symlinks: 0, hardlinks: 0, others: 0 });
      expect(runQuietly("bsdtar", ["-tf", file]).toString()).toBe(`${source.slice(1)}/\n`);
      expect(runQuietly("tar", ["-taf", file]).toString()).toBe(`${source.slice(1)}/\n`);
    }
  });

  it("keeps what does not compress as it is", async () => {
    using place = temporaryFolder();
    const noise = Buffer.alloc(3_000_000);
    for (let at = 0, seed = 1; at < noise.length; at += 1) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      noise[at] = seed >>> 23;
    }
    writeFileSync(
      path.join(place.path, "noise"),
      createHash("shake256", { outputLength: 3_000_000 }).update(noise).digest(),
    );
    const { bytes, result } = await makeArchive([place.path], { compression: "gz" });
    expect(gunzipSync(bytes).length).toBeGreaterThan(3_000_000);
    expect(result.sizeBytes).toBeGreaterThan(3_000_000);
    expect(result.sizeBytes).toBeLessThan(3_005_000);
  });
});
