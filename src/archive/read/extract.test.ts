import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  createReadStream,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { extractArchive, type ExtractNotice, type ExtractOptions } from "./extract.ts";
import { inPieces, pythonTar, tree } from "./extract-fixture.ts";
import { utimesText } from "./utimes-text.ts";

let work: string;
let target: string;
let notices: ExtractNotice[];

beforeEach(() => {
  work = mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
  target = path.join(work, "target");
  notices = [];
});

afterEach(() => {
  spawnSync("chmod", ["-R", "u+rwX", work]);
  rmSync(work, { recursive: true, force: true });
});

const isRoot = process.geteuid?.() === 0;
const at = (...names: string[]): string => path.join(work, ...names);

function restore(archive: Buffer | string, options: Partial<ExtractOptions> = {}) {
  const bytes = typeof archive === "string" ? createReadStream(archive) : inPieces(archive);
  return extractArchive(bytes, target, {
    archiveName: "site.tar",
    signal: new AbortController().signal,
    onNotice: (notice) => notices.push(notice),
    ...options,
  });
}

const kinds = (): string[] => notices.map(({ kind }) => kind);

describe("what comes back", () => {
  it.each([["none"], ["gz"], ["zst"]])(
    "is identical to what GNU tar packed, byte by byte (%s)",
    async (compression) => {
      makeSite(at("backup"));
      execFileSync("tar", ["--format=posix", "-cf", at("a.tar"), "-C", work, "backup"]);
      const tar = readFileSync(at("a.tar"));
      const stored = compression === "gz" ? gzipSync(tar) : compression === "zst" ? zstdCompressSync(tar) : tar;
      const result = await restore(stored);
      expect(notices).toEqual([]);
      expect(result).toMatchObject({ incomplete: 0, counts: { hardlinks: 1, others: 1 } });
      // Where libc can't be called, times are exact to the microsecond only.
      execFileSync("diff", ["-r", "--no-dereference", "--exclude=fifo", at("backup"), path.join(target, "backup")]);
      expect(listing(path.join(target, "backup"))).toBe(listing(at("backup")));
    },
  );

  it.each([
    ["GNU tar, gnu", ["tar", "--format=gnu"]],
    ["GNU tar, ustar", ["tar", "--format=ustar"]],
    ["GNU tar, v7", ["tar", "--format=v7"]],
    ["bsdtar, pax", ["bsdtar", "--format=pax"]],
    ["bsdtar, ustar", ["bsdtar", "--format=ustar"]],
    ["bsdtar, gnutar", ["bsdtar", "--format=gnutar"]],
  ])("reads the format of %s", async (_, [program = "", format = ""]) => {
    mkdirSync(at("backup", "folder"), { recursive: true });
    writeFileSync(at("backup", "folder", "a"), "content");
    symlinkSync("folder/a", at("backup", "link"));
    if (!/ustar|v7/.test(format)) writeFileSync(at("backup", "n".repeat(255)), "long");
    execFileSync(program, [format, "-cf", at("a.tar"), "-C", work, "backup"]);
    await restore(at("a.tar"));
    expect(tree(target)).toEqual({ backup: "folder", ...prefixed("backup/", tree(at("backup"))) });
    expect(notices).toEqual([]);
  });

  it("takes GNU tar's comparison without a difference where times are whole microseconds", async () => {
    makeSite(at("backup"), { wholeMicroseconds: true });
    execFileSync("tar", ["--format=posix", "-cf", at("a.tar"), "-C", work, "backup"]);
    await restore(at("a.tar"));
    const compared = spawnSync("tar", ["--compare", "-f", at("a.tar"), "-C", target], { encoding: "utf8" });
    // Nanoseconds below the microsecond differ, and nothing else does.
    const lines = compared.stdout.split("\n").filter((line) => line !== "" && !line.endsWith("Mod time differs"));
    expect(lines).toEqual([]);
    expect(compared.stderr).toBe("");
  });

  it("keeps names of 255 bytes, deep paths, and every byte but NUL and slash", async () => {
    const archive = pythonTar(`
name = b"".join(bytes([b]) for b in range(1, 256) if b != 0x2f).decode("utf-8", "surrogateescape")
add("x/" + name, "1")
add("/".join(["d" * 100] * 60) + "/end", "2")
add("deep/" * 400 + "end", "3"); add("deep/" * 399 + "end", "4"); add("deep/" * 400 + "end2", "5")`);
    const result = await restore(archive);
    expect(result.incomplete).toBe(0);
    const names = readdirSync(path.join(target, "x"), { encoding: "latin1" });
    expect(names[0]).toBe(
      Buffer.from(Array.from({ length: 255 }, (_, i) => i + 1).filter((b) => b !== 0x2f)).toString("latin1"),
    );
    const found = execFileSync("find", [target, "-name", "end*", "-printf", "%d %s\\n"], { encoding: "utf8" });
    expect(found.trim().split("\n").toSorted()).toEqual(["400 1", "401 1", "401 1", "61 1"]);
  });

  it("restores trees of thousands of levels, and names what lies deeper than any tree of people", async () => {
    const result = await restore(
      pythonTar(`add("a/" * 3000 + "end", "1"); add("a/" * 5000 + "end", "2"); add("b", "3")`),
    );
    expect(result).toMatchObject({ incomplete: 1, notices: { refused: 1 }, counts: { files: 2 } });
    const found = execFileSync("find", [target, "-name", "end", "-printf", "%d\\n"], { encoding: "utf8" });
    expect(found.trim()).toBe("3001");
    execFileSync("rm", ["-r", path.join(target, "a")]);
  });

  it("keeps times before 1970 and far ahead to the microsecond, of folders and links too", async () => {
    const archive = pythonTar(`
def pax(name, mtime, **fields): add(name, "x", pax_headers={"mtime": mtime}, **fields)
pax("a", "1767225600.123456789"); pax("b", "-5.25"); pax("c", "1767225600.999999999"); pax("d", "0.000001"); pax("e", "1767225600.123456")
add("l", type=tarfile.SYMTYPE, linkname="a", pax_headers={"mtime": "1767225601.654321"})
add("f", type=tarfile.DIRTYPE, mode=0o755, pax_headers={"mtime": "1767225602.000001999"}); add("f/x", "1")`);
    await restore(archive);
    const microseconds = (name: string): bigint => lstatSync(path.join(target, name), { bigint: true }).mtimeNs / 1000n;
    expect(microseconds("a")).toBe(1767225600123456n);
    expect(microseconds("b")).toBe(-5250000n);
    expect(microseconds("c")).toBe(1767225600999999n);
    expect(microseconds("d")).toBe(1n);
    expect(microseconds("e")).toBe(1767225600123456n);
    expect(microseconds("l")).toBe(1767225601654321n);
    expect(microseconds("f")).toBe(1767225602000001n);
  });

  it("chooses for every time a number within the same microsecond", () => {
    let random = 12345;
    for (let round = 0; round < 20_000; round += 1) {
      random = (random * 1103515245 + 12345) % 2147483648;
      const ns =
        BigInt(random) * 1_000_000_000n +
        ((BigInt(random) * 7919n) % 1_000_000_000n) -
        (round % 3 === 0 ? 2n ** 60n : 0n);
      const seconds = Number(utimesText(ns));
      const whole = Math.floor(seconds);
      const resultNs = BigInt(whole) * 1_000_000_000n + BigInt(Math.trunc((seconds - whole) * 1e9));
      const floorMicro = (value: bigint): bigint => (value - (((value % 1000n) + 1000n) % 1000n)) / 1000n;
      expect(floorMicro(resultNs)).toBe(floorMicro(ns));
    }
  });

  it("lets the last of equal names count, and says so", async () => {
    await restore(
      pythonTar(`add("a", "1"); add("a", "2"); link("b", "x"); add("b", "3"); add("c", "4"); link("c", "a"); add("d", "5"); folder("d")
add("e", "6"); hard("e2", "e"); add("e2", "7"); hard("a", "e"); hard("a", "e")`),
    );
    expect(tree(target)).toEqual({ a: "6", b: "3", c: "-> a", d: "folder", e: "6", e2: "7" });
    expect(kinds()).toEqual(Array.from({ length: 7 }, () => "replaced"));
  });

  it("makes folders that have no entry, and modes that forbid writing last", async () => {
    await restore(
      pythonTar(`folder("a", uid=0); tar.members[-1]; add("a/b/c", "1")
add("ro", type=tarfile.DIRTYPE, mode=0o555); add("ro/x", "1", mode=0o444); add("none", type=tarfile.DIRTYPE, mode=0); folder("none/in"); add("none/in/x", "2")`),
    );
    expect(statSync(path.join(target, "a/b")).mode & 0o7777).toBe(0o755);
    expect(statSync(path.join(target, "ro")).mode & 0o7777).toBe(0o555);
    expect(statSync(path.join(target, "none")).mode & 0o7777).toBe(0);
    chmodSync(path.join(target, "none"), 0o755);
    expect(readFileSync(path.join(target, "none/in/x"), "utf8")).toBe("2");
    expect(kinds().filter((kind) => kind !== "replaced")).toEqual([]);
  });

  it.runIf(isRoot)("gives owners and setuid bits as root", async () => {
    await restore(
      pythonTar(`add("s", "1", mode=0o6755, uid=1234, gid=4321); folder("d", uid=77, gid=78); link("l", "s")
add("big", "1", uid=2**33, gid=1, mode=0o4755)
add("n", type=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o640)`),
    );
    const file = statSync(path.join(target, "s"));
    expect([file.uid, file.gid, file.mode & 0o7777]).toEqual([1234, 4321, 0o6755]);
    expect(statSync(path.join(target, "d")).gid).toBe(78);
    expect(statSync(path.join(target, "big")).mode & 0o7777).toBe(0o755);
    expect(
      kinds()
        .filter((kind) => kind !== "unsupported")
        .toSorted(),
    ).toEqual(["owner", "special-bits"]);
  });

  it.runIf(isRoot)("works as another user: no owners, no setuid, no devices", () => {
    writeFileSync(
      at("a.tar"),
      pythonTar(`add("s", "1", mode=0o6755, uid=1234); add("ro", type=tarfile.DIRTYPE, mode=0o555); add("ro/x", "1")
add("n", type=tarfile.CHRTYPE, devmajor=1, devminor=3); add("p", type=tarfile.FIFOTYPE, mode=0o640)`),
    );
    chmodSync(work, 0o777);
    const script = `
import { createReadStream } from "node:fs";
import { extractArchive } from ${JSON.stringify(new URL("extract.ts", import.meta.url).pathname)};
const kinds = [];
const result = await extractArchive(createReadStream("a.tar"), "target", { archiveName: "a", signal: new AbortController().signal, onNotice: (n) => kinds.push(n.kind) });
console.log(JSON.stringify({ kinds, counts: result.counts }));`;
    const ran = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      cwd: work,
      uid: 65534,
      gid: 65534,
      encoding: "utf8",
    });
    if (/EACCES|permission denied/i.test(ran.stderr)) return; // The checkout is not readable for others here.
    expect(ran.stderr).toBe("");
    const { kinds: seen, counts } = JSON.parse(ran.stdout) as { kinds: string[]; counts: unknown };
    expect(seen.toSorted()).toEqual(["special-bits", "unsupported"]);
    expect(counts).toEqual({ files: 2, directories: 1, symlinks: 0, hardlinks: 0, others: 1 });
    expect(statSync(path.join(target, "s")).mode & 0o7777).toBe(0o755);
    expect(statSync(path.join(target, "p")).mode & 0o7777).toBe(0o640);
  });

  it("tells of kinds that it can't restore, and restores the rest", async () => {
    const result = await restore(pythonTar(`add("piece", "1", type=b"M"); add("after", "2")`));
    expect(result.notices).toEqual({ unsupported: 1 });
    expect(tree(target)).toEqual({ after: "2" });
    expect(notices[0]?.detail).toContain("multi-volume");
  });

  it("restores second names of links and FIFOs, as GNU tar stores them", async () => {
    mkdirSync(at("d"));
    symlinkSync("nowhere", at("d/a"));
    execFileSync("mkfifo", [at("d/p")]);
    linkSync(at("d/a"), at("d/b"));
    linkSync(at("d/p"), at("d/q"));
    execFileSync("tar", ["-cf", at("a.tar"), "--sort=name", "-C", work, "d"]);
    await restore(at("a.tar"));
    expect(notices).toEqual([]);
    expect(tree(target)).toEqual({
      d: "folder",
      "d/a": "-> nowhere",
      "d/b": "-> nowhere",
      "d/p": "fifo",
      "d/q": "fifo",
    });
    expect(lstatSync(path.join(target, "d/b")).nlink).toBe(2);
  });

  it("says what a hard link lacks whose file, or its folder, is not restored", async () => {
    const archive = pythonTar(`folder("a"); add("a/x", "1"); folder("b"); hard("b/y", "a/x")`);
    await restore(archive, { filter: ({ path: entryPath }) => entryPath.startsWith("b") });
    expect(notices).toMatchObject([{ path: "b/y", detail: expect.stringContaining("a/x, is not in the target") }]);
  });

  it("takes GNU tar's folder listings for folders, and a label for nothing", async () => {
    const made = ["--format=gnu", "--label=site", "--listed-incremental", at("snapshot"), "-cf", at("a.tar"), "d"];
    mkdirSync(at("d/empty"), { recursive: true });
    writeFileSync(at("d/a"), "1");
    execFileSync("tar", made, { cwd: work });
    const result = await restore(at("a.tar"));
    expect(tree(target)).toEqual({ d: "folder", "d/a": "1", "d/empty": "folder" });
    expect(result.incomplete).toBe(0);
  });

  it("restores only what is wanted", async () => {
    const result = await restore(pythonTar(`folder("a"); add("a/x", "1"); folder("b"); add("b/y", "2")`), {
      filter: ({ path: entryPath }) => entryPath.startsWith("b"),
    });
    expect(tree(target)).toEqual({ b: "folder", "b/y": "2" });
    expect(result.counts).toMatchObject({ files: 1, directories: 1 });
  });
});

describe("the target", () => {
  const archive = (): Buffer => pythonTar(`folder("d", mtime=5); add("d/a", "new"); add("./b", "new"); folder("./")`);

  it("must be new or empty", async () => {
    mkdirSync(target);
    writeFileSync(path.join(target, "b"), "old");
    await expect(restore(archive())).rejects.toThrow(`${target} is not empty`);
    expect(tree(target)).toEqual({ b: "old" });
  });

  it("may hold a new file system's own folder", async () => {
    mkdirSync(path.join(target, "lost+found"), { recursive: true });
    await restore(archive());
    expect(readFileSync(path.join(target, "d/a"), "utf8")).toBe("new");
  });

  it("is overwritten when asked for, and keeps what the archive doesn't have", async () => {
    mkdirSync(path.join(target, "d"), { recursive: true });
    for (const name of ["b", "d/a", "d/other"]) writeFileSync(path.join(target, name), "old");
    const result = await restore(archive(), { overwrite: true });
    expect(tree(target)).toEqual({ b: "new", d: "folder", "d/a": "new", "d/other": "old" });
    expect(result.notices).toEqual({});
  });

  it("keeps the old file where the new one is cut off", async () => {
    mkdirSync(target);
    writeFileSync(path.join(target, "b"), "old");
    const cut = pythonTar(`add("b", "x" * 100000)`).subarray(0, 50_000);
    await expect(restore(cut, { overwrite: true })).rejects.toThrow(/truncated.*inside b.*nothing was restored/);
    expect(tree(target)).toEqual({ b: "old" });
  });

  it("may be a link to a folder, but no file and no dangling link", async () => {
    mkdirSync(at("real"));
    symlinkSync("real", target);
    await restore(archive());
    expect(readdirSync(at("real")).toSorted()).toEqual(["b", "d"]);
    for (const make of [() => writeFileSync(at("file"), ""), () => symlinkSync("nowhere", at("file"))]) {
      rmSync(at("file"), { force: true });
      make();
      target = at("file");
      await expect(restore(archive())).rejects.toThrow(/is not a folder|cannot restore into/);
    }
  });

  it("is not made for what is no archive", async () => {
    await expect(restore(Buffer.from("hello"))).rejects.toThrow("is not a tar");
    await expect(restore(Buffer.from("age-encryption.org/v1\n"))).rejects.toThrow("is encrypted");
    expect(existsSync(target)).toBe(false);
  });
});

describe("failures", () => {
  it("say how far they came, remove the file at work, and finish its folders", async () => {
    const tar = pythonTar(`folder("d", mtime=5); add("d/a", "1"); add("d/b", "x" * 1000000)`);
    await expect(restore(tar.subarray(0, 500_000))).rejects.toThrow(
      /inside d\/b.*; 2 entries \(1 B\) were restored to .*target before/,
    );
    expect(tree(target)).toEqual({ d: "folder", "d/a": "1" });
    expect(statSync(path.join(target, "d")).mtimeMs).toBe(5000);
  });

  it("end at once when told to stop", async () => {
    const controller = new AbortController();
    async function* slow(): AsyncGenerator<Buffer> {
      yield pythonTar(`add("a", "1"); add("b", "x" * 1000000)`).subarray(0, 400_000);
      await new Promise(() => undefined);
    }
    const running = extractArchive(slow(), target, { archiveName: "a", signal: controller.signal });
    setTimeout(() => controller.abort(new Error("stop it")), 200);
    await expect(running).rejects.toThrow("stop it");
    expect(tree(target)).toEqual({ a: "1" });
  });

  it("of reading are not taken for the disk's", async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield pythonTar(`add("a", "1"); add("b", "x" * 1000000)`).subarray(0, 400_000);
      throw Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
    }
    const running = extractArchive(broken(), target, { archiveName: "a.tar", signal: new AbortController().signal });
    await expect(running).rejects.toThrow(/cannot read a.tar: read ECONNRESET; 1 entries/);
  });

  it.runIf(isRoot)("of a full disk are clear", async () => {
    mkdirSync(target);
    if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=300k", "tmpfs", target]).status !== 0) return;
    try {
      const failing = restore(pythonTar(`add("a", "1"); add("b", "x" * 1000000)`));
      await expect(failing).rejects.toThrow(/no space left; 1 entries/);
      expect(tree(target)).toEqual({ a: "1" });
    } finally {
      execFileSync("umount", [target]);
    }
  });

  it("of single entries don't stop the others", async () => {
    const result = await restore(
      pythonTar(
        `add("n" * 300, "1"); add("ok", "2"); folder("d"); add("d", "3"); add("ok/x", "4"); link("l", "x" * 5000)`,
      ),
    );
    expect(tree(target)).toEqual({ ok: "2", d: "folder" });
    expect(kinds()).toEqual(["failed", "failed", "refused", "failed"]);
    expect(result.incomplete).toBe(4);
    expect(notices.map(({ detail }) => detail).join()).not.toContain("/proc");
  });
});

function makeSite(folder: string, { wholeMicroseconds = false } = {}): void {
  mkdirSync(path.join(folder, "sub", "empty"), { recursive: true });
  writeFileSync(path.join(folder, "index.html"), "<h1>hello</h1>\n".repeat(500));
  writeFileSync(
    path.join(folder, "image"),
    Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * i * 31 + i) & 0xff)),
  );
  writeFileSync(path.join(folder, "empty"), "");
  writeFileSync(path.join(folder, "sub", " odd\nname\t"), "1");
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/sub/`), Buffer.from([0xff, 0xfe, 0x61])]), "2");
  writeFileSync(path.join(folder, "sub", "ä".repeat(120)), "3");
  mkdirSync(path.join(folder, "sub", "x".repeat(200), "y".repeat(200)), { recursive: true });
  writeFileSync(path.join(folder, "sub", "x".repeat(200), "y".repeat(200), "deep"), "4");
  symlinkSync("../nowhere", path.join(folder, "sub", "dangling"));
  execFileSync("ln", [path.join(folder, "index.html"), path.join(folder, "hard")]);
  execFileSync("mkfifo", [path.join(folder, "fifo")]);
  chmodSync(path.join(folder, "image"), isRoot ? 0o4711 : 0o711);
  chmodSync(path.join(folder, "sub"), 0o2750);
  if (wholeMicroseconds) {
    execFileSync("find", [folder, "-depth", "-exec", "touch", "-h", "-d", "2026-03-04 05:06:07.123456", "{}", "+"]);
  }
}

/** Kind, mode, owner, size, time to the microsecond and path of everything. */
function listing(folder: string): string {
  const format = "%y %m %U %G %n %T@ %p %l\\n";
  const out = execFileSync("find", [".", "-printf", format], { cwd: folder, encoding: "latin1" });
  const lines = out.split("\n").map((line) => line.replace(/(\.\d{6})\d{4} /, "$1 "));
  return lines.toSorted().join("\n");
}

function prefixed(prefix: string, record: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [prefix + key, value]));
}
