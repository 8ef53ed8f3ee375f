import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../lib/errors.ts";
import { paxTimeNs, parsePaxRecords } from "./read-headers.ts";
import { listEntries, readArchive, type ArchiveEntry } from "./read.ts";

let work: string;
let tar: Buffer;

beforeAll(() => {
  work = mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
  mkdirSync(path.join(work, "backup", "sub"), { recursive: true });
  writeFileSync(path.join(work, "backup", "a"), "hello");
  writeFileSync(path.join(work, "backup", "big"), incompressible(120_000));
  writeFileSync(path.join(work, "backup", "sub", "n".repeat(200)), "long");
  symlinkSync("../a", path.join(work, "backup", "sub", "z-link"));
  execFileSync("tar", ["--format=posix", "--sort=name", "-cf", "a.tar", "backup"], { cwd: work });
  tar = readFileSync(path.join(work, "a.tar"));
});

afterAll(() => rmSync(work, { recursive: true, force: true }));

async function* inPieces(bytes: Buffer, size = 10_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const options = () => ({ archiveName: "site.tar.gz", signal: new AbortController().signal });

async function list(bytes: Buffer, size?: number): Promise<ArchiveEntry[]> {
  return Array.fromAsync(listEntries(inPieces(bytes, size), options()));
}

/** What was listed, and how it ended. */
async function outcome(bytes: Buffer, size?: number): Promise<{ paths: string[]; error: string }> {
  const paths: string[] = [];
  try {
    for await (const entry of listEntries(inPieces(bytes, size), options())) paths.push(entry.path);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return { paths, error: (error as Error).message };
  }
  return { paths, error: "" };
}

const PATHS = ["backup", "backup/a", "backup/big", "backup/sub", `backup/sub/${"n".repeat(200)}`, "backup/sub/z-link"];
const members = (compress: (part: Buffer) => Buffer, size = 70_000): Buffer => {
  const parts: Buffer[] = [];
  for (let at = 0; at < tar.length; at += size) parts.push(compress(tar.subarray(at, at + size)));
  return Buffer.concat(parts);
};
const zstdWithChecksum = (part: Buffer): Buffer =>
  zstdCompressSync(part, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
const SKIPPABLE = Buffer.from("502a4d1803000000616263", "hex");

describe("listEntries", () => {
  it.each<[string, () => Buffer]>([
    ["a plain tar", () => tar],
    ["gzip", () => gzipSync(tar)],
    ["gzip of many members", () => members(gzipSync)],
    ["gzip of empty and full members", () => Buffer.concat([gzipSync(""), members(gzipSync, 5120), gzipSync("")])],
    ["zstd", () => zstdCompressSync(tar)],
    ["zstd of many frames", () => members(zstdWithChecksum)],
    ["zstd with frames to skip", () => Buffer.concat([SKIPPABLE, members(zstdCompressSync), SKIPPABLE])],
    ["gzip padded with zeros", () => Buffer.concat([gzipSync(tar), Buffer.alloc(100_000)])],
    ["a tar padded with zeros", () => Buffer.concat([tar, Buffer.alloc(100_000)])],
  ])("reads %s, in pieces of any size", async (_, make) => {
    const bytes = make();
    for (const size of [7, 511, 10_000, 1 << 30]) {
      if (size === 7 && bytes.length > 50_000) continue;
      expect(await outcome(bytes, size)).toEqual({ paths: PATHS, error: "" });
    }
  });

  it("reads what other programs compressed", async () => {
    for (const program of ["gzip", "pigz", "zstd"]) {
      const compressed = spawnSync(program, ["-c"], { input: tar, maxBuffer: 1 << 26 });
      if (compressed.error === undefined) expect(await outcome(compressed.stdout)).toEqual({ paths: PATHS, error: "" });
    }
  });

  it("tells everything about an entry", async () => {
    const entries = await list(
      python(`
info = tarfile.TarInfo("d\\n\\x1b[31m\\udcff"); info.mode = 0o4751; info.uid = 2**31; info.gid = 7; info.size = 3
info.pax_headers = {"mtime": "-1.000000001"}
tar.addfile(info, io.BytesIO(b"abc"))
info = tarfile.TarInfo("dev"); info.type = tarfile.BLKTYPE; info.devmajor = 8; info.devminor = 17; tar.addfile(info)
info = tarfile.TarInfo("h"); info.type = tarfile.LNKTYPE; info.linkname = "x" * 150; info.size = 0; tar.addfile(info)
info = tarfile.TarInfo("p"); info.type = tarfile.FIFOTYPE; tar.addfile(info)
info = tarfile.TarInfo("f/"); info.type = tarfile.DIRTYPE; tar.addfile(info)`),
    );
    expect(entries[0]).toMatchObject({
      path: "d\\n\\u{1b}[31m\\xff",
      type: "file",
      sizeBytes: 3,
      mode: 0o4751,
      uid: 2 ** 31,
      gid: 7,
      mtimeNs: -1_000_000_001n,
    });
    expect(entries[0]?.pathBytes.toString("latin1")).toBe("d\n\x1b[31m\xff");
    expect(entries[1]).toMatchObject({ type: "block-device", device: { major: 8, minor: 17 } });
    expect(entries[2]).toMatchObject({ type: "hardlink", linkPath: "x".repeat(150) });
    expect(entries.map(({ type }) => type)).toEqual(["file", "block-device", "hardlink", "fifo", "directory"]);
    expect(entries[4]?.path).toBe("f");
  });

  it.each(["ustar", "gnu", "posix", "v7"])("agrees with GNU tar on its format %s", async (format) => {
    const long = format === "v7" ? "n" : "n".repeat(90);
    mkdirSync(path.join(work, format, long), { recursive: true });
    writeFileSync(path.join(work, format, long, "x".repeat(format === "posix" || format === "gnu" ? 250 : 60)), "1");
    const bytes = execFileSync("tar", [`--format=${format}`, "--sort=name", "-cf", "-", format], { cwd: work });
    const expected = execFileSync("tar", ["-tf", "-"], { input: bytes, encoding: "utf8" });
    expect((await list(bytes)).map((entry) => entry.path)).toEqual(
      expected
        .trim()
        .split("\n")
        .map((name) => name.replace(/\/$/, "")),
    );
  });

  it("reads sizes beyond 8 GiB and numbers in base 256", async () => {
    for (const format of ["GNU", "PAX"]) {
      const script = `
import sys, tarfile
info = tarfile.TarInfo("huge"); info.size = 9 * 2**30; info.mtime = -5; info.uid = 2**40
sys.stdout.buffer.write(info.tobuf(tarfile.${format}_FORMAT))`;
      const bytes = execFileSync("python3", ["-c", script]);
      const entries = readArchive(inPieces(Buffer.concat([bytes, Buffer.alloc(5000)])), options());
      const first = await entries.next();
      expect(first.value?.entry).toMatchObject({ sizeBytes: 9 * 2 ** 30, mtimeMs: -5000, uid: 2 ** 40 });
      await expect(entries.next()).rejects.toThrow("inside huge, 5000 of 9663676416 bytes are there");
    }
  });

  it.each([
    ["GNU", "2**62", Number.MAX_SAFE_INTEGER * 1000],
    ["PAX", "1e-07", 0],
    ["PAX", "1e18", 0],
  ])("loses nothing for a time that can't be: %s %s", async (format, mtime, expectedMs) => {
    const script = `
import sys, tarfile
info = tarfile.TarInfo("a"); info.mtime = ${mtime}
sys.stdout.buffer.write(info.tobuf(tarfile.${format}_FORMAT) + bytes(1024))`;
    const entries = await list(execFileSync("python3", ["-c", script]));
    expect(entries).toMatchObject([{ path: "a", mtimeMs: expectedMs }]);
  });

  it("lets the caller read a content, a part of it, or nothing", async () => {
    const seen: Record<string, number> = {};
    for await (const { entry, body } of readArchive(inPieces(gzipSync(tar)), options())) {
      for await (const piece of body) {
        seen[entry.path] = (seen[entry.path] ?? 0) + piece.length;
        if (entry.path === "backup/big") break;
      }
    }
    expect(seen["backup/a"]).toBe(5);
    expect(seen["backup/big"]).toBeLessThan(120_000);
    expect(seen[PATHS[4] ?? ""]).toBe(4);
  });

  it("closes its source when the caller goes away", async () => {
    const source = Readable.from(inPieces(gzipSync(tar), 1000));
    for await (const entry of listEntries(source, options())) if (entry.path === "backup/a") break;
    expect(source.destroyed).toBe(true);
  });

  it("gives up a source that hangs as soon as it is told to", async () => {
    const controller = new AbortController();
    for (const bytes of [tar.subarray(0, 5000), gzipSync(tar).subarray(0, 5000)]) {
      const hanging = async function* () {
        yield bytes;
        await new Promise(() => undefined);
      };
      const reading = Array.fromAsync(listEntries(hanging(), { archiveName: "a", signal: controller.signal }));
      setTimeout(() => controller.abort(new Error("enough")), 100);
      await expect(reading).rejects.toThrow("enough");
    }
  });
});

describe("a bad archive is never taken for a good one", () => {
  it.each<[string, () => Buffer, RegExp]>([
    ["nothing", () => Buffer.alloc(0), /^site.tar.gz is empty$/],
    ["text", () => Buffer.from("<html>not found</html>".repeat(100)), /is not a tar, tar.gz or tar.zst archive/],
    ["xz", () => Buffer.from("fd377a585a0000", "hex"), /is not a tar/],
    // A frame's header that asks for 1 GiB, and a block of one byte.
    [
      "zstd --long=31",
      () => Buffer.from("28b52ffd00a009000041", "hex"),
      /compressed with a window of more than 128 MB/,
    ],
    ["age", () => Buffer.from("age-encryption.org/v1\n-> X25519 abc\n"), /is encrypted/],
    ["armored age", () => Buffer.from("-----BEGIN AGE ENCRYPTED FILE-----\n"), /is encrypted/],
    ["armored gpg", () => Buffer.from("-----BEGIN PGP MESSAGE-----\n"), /is encrypted/],
    [
      "a plain tar that is cut in a file",
      () => tar.subarray(0, 80_000),
      /truncated: it ends inside backup\/big, \d+ of 120000 bytes/,
    ],
    ["a plain tar that is cut in a header", () => tar.subarray(0, 1000), /truncated/],
    [
      "a tar without its end mark",
      () => tar.subarray(0, endOfEntries()),
      /truncated: it ends after \d+ bytes of tar data, without its end mark/,
    ],
    [
      "a tar with half an end mark",
      () => tar.subarray(0, endOfEntries() + 512),
      /truncated: it ends inside its end mark/,
    ],
    ["another tar behind it", () => Buffer.concat([tar, tar]), /something else follows its end mark/],
    [
      "gzip that is cut",
      () => gzipSync(tar).subarray(0, 80_000),
      /truncated: it ends inside its gzip data, after 80000 bytes/,
    ],
    ["gzip without its last byte", () => gzipSync(tar).subarray(0, -1), /truncated: it ends inside its gzip data/],
    [
      "gzip whose last member is cut",
      () => members(gzipSync).subarray(0, -9),
      /truncated: it ends inside its gzip data/,
    ],
    [
      "gzip members, the last ones missing",
      () => gzipSync(tar.subarray(0, 81_920)),
      /truncated: it ends inside backup\/big/,
    ],
    [
      "gzip and garbage",
      () => Buffer.concat([gzipSync(tar), Buffer.from("garbage".repeat(99_999))]),
      /something else follows its gzip data/,
    ],
    [
      "gzip, zeros and another member",
      () => Buffer.concat([gzipSync(tar), Buffer.alloc(99), gzipSync(tar)]),
      /something else follows its gzip data/,
    ],
    ["zstd that is cut", () => zstdCompressSync(tar).subarray(0, 80_000), /truncated: it ends inside its zstd data/],
    [
      "zstd and garbage",
      () => Buffer.concat([zstdCompressSync(tar), Buffer.from("garbage")]),
      /something else follows its zstd data/,
    ],
    ["a flipped bit in gzip", () => flipped(gzipSync(tar), 80_000), /damaged/],
    ["a flipped bit in zstd", () => flipped(members(zstdWithChecksum), 80_000), /damaged/],
    [
      "a flipped bit in a header",
      () => flipped(tar, tar.indexOf("backup/big")),
      /damaged: a header's checksum is wrong, at byte \d+/,
    ],
  ])("%s", async (_, make, message) => {
    expect((await outcome(make())).error).toMatch(message);
  });

  it("encrypted by the real gpg", async () => {
    const home = path.join(work, "gnupg");
    mkdirSync(home, { mode: 0o700 });
    const args = ["--homedir", home, "--batch", "--pinentry-mode", "loopback", "--passphrase", "x", "-c", "-o", "-"];
    const encrypted = spawnSync("gpg", args, { input: gzipSync(tar), maxBuffer: 1 << 26 });
    if (encrypted.status !== 0) return;
    expect((await outcome(encrypted.stdout)).error).toMatch(/is encrypted/);
  });

  it("all entries before the fault are given", async () => {
    const { paths } = await outcome(gzipSync(tar).subarray(0, -1));
    expect(paths).toEqual(PATHS);
  });

  it.each<[string, string]>([
    ["a length that is wrong", "99 path=x\n"],
    ["no length", " path=x\n"],
    ["no equals sign", "8 pathx\n"],
    ["a length of zero", "0 path=x\n"],
    ["a length within itself", "2 path=x\n"],
    ["no line end", "9 path=xy"],
    ["a huge length", "99999999999 path=x\n"],
  ])("an extended header with %s", (_, content) => {
    expect(() => parsePaxRecords(Buffer.from(content))).toThrow("not readable");
  });

  it("cut anywhere, or with any byte changed: an error or fewer entries, never anything else", async () => {
    let seed = 42;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((seed / 2_147_483_648) * below);
    };
    const small = python(`
for i in range(20):
    info = tarfile.TarInfo("n" * (i * 20 + 1)); info.size = i * 100; info.pax_headers = {"mtime": "5.5"} if i % 2 else {}
    tar.addfile(info, io.BytesIO(b"x" * info.size))`);
    const originals = [small, gzipSync(small), zstdWithChecksum(small)];
    for (let round = 0; round < 600; round += 1) {
      const bytes = Buffer.from(originals[round % 3] ?? small);
      const isCut = round % 4 === 0;
      const at = random(bytes.length - 1);
      if (!isCut) bytes[at] = random(256);
      if (!isCut && round % 5 === 0) bytes.fill(random(256), at, Math.min(bytes.length, at + random(2000)));
      const result = await outcome(isCut ? bytes.subarray(0, at) : bytes, 1000);
      if (isCut && at < bytes.length - 10_240) expect(result.error).not.toBe("");
      expect(result.paths.length).toBeLessThanOrEqual(20);
    }
  });
});

describe("paxTimeNs", () => {
  it.each<[string, bigint]>([
    ["0", 0n],
    ["5", 5_000_000_000n],
    ["1.5", 1_500_000_000n],
    ["1.", 1_000_000_000n],
    ["1767225600.123456789", 1_767_225_600_123_456_789n],
    ["1.1234567899", 1_123_456_789n],
    ["-1.5", -1_500_000_000n],
    ["-0.0000000001", -1n],
    ["-1.0000000000", -1_000_000_000n],
  ])("%s", (text, ns) => {
    expect(paxTimeNs(Buffer.from(text))).toBe(ns);
  });

  it.each(["", "x", "1e5", "1,5", "--1", "+1", " 1", "NaN", ".5"])("knows nothing of %j", (text) => {
    expect(paxTimeNs(Buffer.from(text))).toBe(undefined);
  });
});

function endOfEntries(): number {
  let end = tar.length;
  while (tar.subarray(end - 512, end).every((byte) => byte === 0)) end -= 512;
  return end;
}

function incompressible(length: number): Buffer {
  let state = 1;
  return Buffer.from(
    Array.from({ length }, () => {
      state = Math.imul(state, 1_664_525) + 1_013_904_223;
      return state >>> 24;
    }),
  );
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 4;
  return copy;
}

function python(lines: string): Buffer {
  const script = `
import io, sys, tarfile
out = io.BytesIO()
tar = tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8", errors="surrogateescape")
${lines}
tar.close()
sys.stdout.buffer.write(out.getvalue())`;
  return execFileSync("python3", ["-c", script], { maxBuffer: 1 << 26 });
}
