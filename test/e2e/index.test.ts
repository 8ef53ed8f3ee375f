import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MAIN, Sandbox } from "./sandbox.ts";

let box: Sandbox;

beforeEach(() => {
  box = new Sandbox();
  mkdirSync(join(box.source, "sub"));
  for (let at = 0; at < 30; at += 1) writeFileSync(join(box.source, `file-${at}`), noise(at, 100_000));
  writeFileSync(join(box.source, "large"), noise(99, 3_500_000));
  writeFileSync(join(box.source, "sub", "a b\nc"), "odd");
  writeFileSync(Buffer.concat([Buffer.from(`${box.source}/sub/`), Buffer.from([0xff])]), "not UTF-8");
  linkSync(join(box.source, "file-1"), join(box.source, "sub", "hard"));
  symlinkSync("nowhere", join(box.source, "sub", "soft"));
});
afterEach(async () => box.dispose());

/** Many commands, each a process of its own. */
const SLOW_MS = 120_000;

const FRONT_TO_BACK = "read from front to back, without its index";

function noise(seed: number, bytes: number): Buffer {
  return createHash("shake256", { outputLength: bytes }).update(String(seed)).digest();
}

/** One run; gives the archive's and its index's path. */
function made(...lines: string[]): { archive: string; index: string; name: string } {
  box.job("site.env", ...lines);
  expect(box.run(["run"])).toMatchObject({ status: 0 });
  const name = box.archives()[0] ?? "";
  return { name, archive: join(box.archive, name), index: join(box.archive, ".lifeboat", `${name}.index`) };
}

function flip(file: string, at: (bytes: Buffer) => number): void {
  const bytes = readFileSync(file);
  const place = at(bytes);
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

const inside = (name: string): string => join(box.source, name).slice(1);

describe.each(["gz", "zst"])("with an index (%s)", (compression) => {
  it("shows, gets and restores paths as without it", { timeout: SLOW_MS }, () => {
    const { index } = made(`BACKUP_COMPRESSION=${compression}`, "BACKUP_HARDLINKS=link");
    const ask = (): string[] => {
      const target = join(box.root, "target");
      rmSync(target, { recursive: true, force: true });
      const answers = [
        ["show", "latest"],
        ["show", "latest", "--json"],
        ["show", "latest", inside("sub")],
        ["show", "latest", `${inside("sub")}/\\xff`],
        ["get", "latest", inside("large")],
        ["get", "latest", `${inside("sub")}/a b\\nc`],
        ["restore", "latest", inside("sub/\\xff"), inside("large"), inside("file-1"), "--to", target],
      ].map((args) => {
        const { status, stdout, stderr } = box.run(args);
        expect(stderr.includes(FRONT_TO_BACK), args.join(" ")).toBe(!existsSync(index));
        expect(status, stderr).toBe(0);
        return stdout;
      });
      answers.push(spawnSync("find", [target, "-type", "f", "-printf", "%P %m %s %T@\n"]).stdout.toString());
      answers.push(spawnSync("sh", ["-c", `cd ${target} && find . -type f -exec sha256sum {} +`]).stdout.toString());
      return answers.map((answer) =>
        answer
          .split("\n")
          .filter((line) => !line.startsWith("sub"))
          .toSorted()
          .join("\n"),
      );
    };
    const withIndex = ask();
    expect(withIndex[0]).toContain("sub/\\xff");
    expect(withIndex[3]?.trim().split("\n")).toHaveLength(1);
    expect(withIndex.at(-1)).toContain(createHash("sha256").update(noise(99, 3_500_000)).digest("hex"));
    rmSync(index);
    expect(ask()).toEqual(withIndex);
  });
});

describe("an index", () => {
  it("that is damaged, or that of another archive, is not used", { timeout: SLOW_MS }, () => {
    const { index, name } = made();
    const listing = box.run(["show", name]).stdout;
    const good = readFileSync(index);
    for (const at of [20, Math.floor(good.length / 2), good.length - 50, good.length - 3]) {
      writeFileSync(index, good);
      flip(index, () => at);
      const { status, stdout, stderr } = box.run(["show", name]);
      expect([status, stdout]).toEqual([0, listing]);
      expect(stderr).toContain(FRONT_TO_BACK);
    }
    writeFileSync(index, good);
    writeFileSync(join(box.source, "another"), "more");
    box.job("site.env", "BACKUP_FILENAME=other.tar.gz");
    expect(box.run(["run"]).status).toBe(0);
    writeFileSync(join(box.archive, ".lifeboat", "other.tar.gz.index"), good);
    const { stderr } = box.run(["show", "other.tar.gz"]);
    expect(stderr).toContain("is that of another archive");
  });

  it("names what an archive that was cut off has lost, and the rest is restored", { timeout: SLOW_MS }, () => {
    const { archive, name } = made();
    const whole = statSync(archive).size;
    // The last entry by far is `large`, of 3.5 MB in blocks of about 1 MiB.
    truncateSync(archive, whole - 1_000);
    const target = join(box.root, "target");
    const restored = box.run(["restore", name, "--to", target]);
    expect(restored.status).toBe(3);
    expect(restored.stderr).toContain(`${name} was cut off: it has ${whole - 1_000} of ${whole} bytes`);
    const lost = restored.stderr.split("\n").filter((line) => line.includes("which is damaged"));
    expect(lost.length).toBeGreaterThan(0);
    for (let at = 0; at < 30; at += 1) {
      const file = `file-${at}`;
      const isLost = lost.some((line) => line.includes(`/${file}:`));
      expect(existsSync(join(target, inside(file))), file).toBe(!isLost);
    }
    const checked = box.run(["show", name]);
    expect(checked.status).toBe(0);
    expect(checked.stderr).toContain("was cut off");
  });

  it("is not used where something smaller took its archive's place", () => {
    const { archive, name } = made();
    writeFileSync(archive, noise(7, 1_000));
    expect(box.run(["show", name]).stderr).toMatch(/it was cut off or replaced/);
    truncateSync(archive, 0);
    expect(box.run(["show", name]).stderr).toMatch(/it was cut off or replaced/);
  });

  it("that can't be stored costs a note, no more", () => {
    box.job("site.env", "BACKUP_FILENAME=fixed.tar.gz");
    mkdirSync(join(box.archive, ".lifeboat", "fixed.tar.gz.index", "in the way"), { recursive: true });
    const { status, stdout } = box.run(["run"]);
    expect(status).toBe(0);
    expect(stdout).toContain("could not store the archive's index");
    expect(box.run(["show", "latest", inside("large")]).status).toBe(0);
  });

  it("goes with its archive", () => {
    const { index } = made("BACKUP_FILENAME=backup-%S-%f.tar.gz", "BACKUP_KEEP_LAST=1");
    expect(existsSync(index)).toBe(true);
    expect(box.run(["run"]).status).toBe(0);
    expect(existsSync(index)).toBe(false);
    const left = readdirSync(join(box.archive, ".lifeboat")).filter((name) => name.endsWith(".index"));
    expect(left).toHaveLength(1);
  });
});

describe("a damaged archive", () => {
  it("names the block and what lies in it; everything else is restored", () => {
    const { archive, name } = made();
    flip(archive, (bytes) => Math.floor(bytes.length / 5));
    const target = join(box.root, "target");
    const { status, stdout, stderr } = box.run(["restore", name, "--to", target]);
    expect(status).toBe(3);
    expect(stdout).toMatch(/^restored \d+ files/);
    expect(stderr).toMatch(/(file-\d+|large): lies in block \d+ \(bytes \d+ to \d+ of the archive\), which is damaged/);
    const lost = [...stderr.matchAll(/^\S+\/(\S+): lies in block/gm)].map((match) => match[1] ?? "");
    expect(lost.length).toBeGreaterThan(0);
    const differ = spawnSync("diff", ["-rq", "--no-dereference", box.source, join(target, box.source)]);
    const missing = differ.stdout.toString().trim().split("\n");
    expect(missing.map((line) => line.split(": ").at(-1)).toSorted()).toEqual(lost.toSorted());

    const copied = box.run(["get", name, "--output", join(box.root, "copy")]);
    expect(copied.status).toBe(1);
    expect(copied.stderr).toMatch(/block \d+ \(bytes \d+ to \d+ of the archive\) is damaged/);
    for (const path of lost) expect(copied.stderr).toContain(path);

    const single = box.run(["get", name, inside(lost[0] ?? ""), "--output", join(box.root, "single")]);
    expect(single.status).toBe(1);
    expect(single.stderr).toContain("which is damaged");
    expect(existsSync(join(box.root, "single"))).toBe(false);
  });
});

it("reads on behind a damaged block without an index, too", () => {
  const { archive, index, name } = made();
  rmSync(index);
  flip(archive, (bytes) => Math.floor(bytes.length / 2));
  const target = join(box.root, "target");
  const { status, stdout, stderr } = box.run(["restore", name, "--to", target]);
  expect(status).toBe(3);
  expect(stdout).toMatch(/^restored \d+ files/);
  expect(stderr).toMatch(/a block at byte \d+ is damaged/);
  expect(stderr).toContain("large: lies in a damaged part of the archive");
  const differ = spawnSync("diff", ["-rq", "--no-dereference", box.source, join(target, box.source)]);
  expect(differ.stdout.toString().trim()).toBe(`Only in ${box.source}: large`);
});

const ZSTD_WITH_CHECKSUM = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };

describe.each(["gz", "zst"])("without an index, of a block that is damaged (%s)", (compression) => {
  /** Text deflates, so that a wrong byte mostly shows only in the checksum at the block's end. */
  const text = (at: number): Buffer => Buffer.from(noise(at, 30_000).toString("base64"));
  /** All that differs from the source but is not missing. */
  const wrongFiles = (target: string): string[] =>
    spawnSync("diff", ["-rq", "--no-dereference", box.source, join(target, box.source)])
      .stdout.toString()
      .split("\n")
      .flatMap((line) => /^Files \S+\/(\S+) and/.exec(line)?.[1] ?? []);
  const names = Array.from({ length: 80 }, (_, at) => `many-${10 + at}`);
  const makeMany = (): { readonly archive: string; readonly name: string; readonly good: Buffer } => {
    rmSync(join(box.source, "large"));
    for (const [at, name] of names.entries()) writeFileSync(join(box.source, name), text(at));
    const { archive, index, name } = made(`BACKUP_COMPRESSION=${compression}`);
    rmSync(index);
    return { archive, name, good: readFileSync(archive) };
  };

  it("no wrong file is restored without a word", { timeout: SLOW_MS }, () => {
    const { archive, name, good } = makeMany();
    let wrong = 0;
    for (const part of [0.55, 0.62, 0.7, 0.78]) {
      writeFileSync(archive, good);
      flip(archive, (bytes) => Math.floor(bytes.length * part));
      const target = join(box.root, `target-${part}`);
      const { status, stderr } = box.run(["restore", name, "--to", target]);
      expect(status).toBe(3);
      for (const file of wrongFiles(target)) {
        wrong += 1;
        expect(stderr).toMatch(new RegExp(`/${file}: lies in a damaged part of the archive; what was restored`));
      }
    }
    expect(wrong).toBeGreaterThan(0);
  });

  it("a file that was wrong up to a header that is, too, is told of", () => {
    const { archive, name, good } = makeMany();
    const tar = spawnSync("sh", ["-c", `${compression === "gz" ? "gzip" : "zstd"} -dc`], {
      input: good,
      maxBuffer: 64 * 1024 * 1024,
    }).stdout;
    const next = tar.indexOf(`${box.source.slice(1)}/many-31`);
    for (const at of [next - 8_000, next]) tar.writeUInt8(tar.readUInt8(at) ^ 1, at);
    const packed = compression === "gz" ? gzipSync(tar) : zstdCompressSync(tar, ZSTD_WITH_CHECKSUM);
    // The checksum at the end, of which gzip's length is not a part.
    const sumAt = packed.length - (compression === "gz" ? 8 : 4);
    packed.writeUInt8(packed.readUInt8(sumAt) ^ 1, sumAt);
    writeFileSync(archive, packed);
    const target = join(box.root, "target");
    const { status, stderr } = box.run(["restore", name, "--to", target]);
    expect(status).toBe(3);
    expect(wrongFiles(target)).toEqual(["many-30"]);
    expect(stderr).toContain("/many-30: lies in a damaged part of the archive; what was restored of it may be wrong");
  });

  it("no wrong file is got without an error", { timeout: SLOW_MS }, () => {
    const { archive, name, good } = makeMany();
    for (const part of [0.55, 0.7]) {
      writeFileSync(archive, good);
      flip(archive, (bytes) => Math.floor(bytes.length * part));
      for (const file of ["many-10", "many-30", "many-50", "many-70"]) {
        const { status, stderr } = box.run(["get", name, inside(file), "--output", join(box.root, "copy")]);
        expect([status, existsSync(join(box.root, "copy"))]).toEqual([1, false]);
        expect(stderr).toContain("is damaged");
      }
    }
  });

  it("the first block takes none of the others along", { timeout: SLOW_MS }, () => {
    const { archive, name } = makeMany();
    flip(archive, () => 40);
    const target = join(box.root, "target");
    const { status, stdout } = box.run(["restore", name, "--to", target]);
    expect(status).toBe(3);
    expect(stdout).toMatch(/^restored [1-9]\d* files/);
    expect(existsSync(join(target, inside("sub/\\xff")))).toBe(false);
    expect(wrongFiles(target)).toEqual([]);
  });
});

it("a reader that is slow gets all of it", { timeout: SLOW_MS }, () => {
  // Small at its end: what is larger is waited for in any case.
  writeFileSync(join(box.source, "tail"), noise(7, 3 * 1024 * 1024 + 5_000));
  const { name, archive } = made();
  const reader = `const piece = Buffer.alloc(4096), hash = crypto.createHash("sha256");
    for (let n; (n = fs.readSync(0, piece)) > 0; Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1))
      hash.update(piece.subarray(0, n));
    console.log(hash.digest("hex"));`;
  const slowly = (...args: string[]): string => {
    const pipe = `set -o pipefail; "$0" ${MAIN} get "$@" | "$0" -e '${reader}' && echo fine`;
    const { stdout } = spawnSync("bash", ["-c", pipe, process.execPath, name, ...args], { env: box.environment });
    return stdout.toString();
  };
  const sum = (bytes: Buffer): string => `${createHash("sha256").update(bytes).digest("hex")}\nfine\n`;
  expect(slowly(inside("tail"))).toBe(sum(readFileSync(join(box.source, "tail"))));
  expect(slowly()).toBe(sum(readFileSync(archive)));
});

it("says what is no file, and what is not there", { timeout: SLOW_MS }, () => {
  const { name, index } = made("BACKUP_HARDLINKS=link");
  const target = join(box.root, "target");
  const hard = inside("sub/hard");
  const one = box.run(["get", name, hard], {});
  expect(one.status).toBe(0);
  expect(box.run(["restore", name, hard, "--to", target]).status).toBe(0);
  expect(readFileSync(join(target, hard)).equals(noise(1, 100_000))).toBe(true);
  const refusals = (): string[] =>
    [
      ["get", name, inside("sub")],
      ["get", name, inside("sub/soft")],
      ["get", name, "no/such"],
      ["show", name, "no/such"],
      ["restore", name, "no/such", "--to", join(box.root, "elsewhere")],
    ].map((args) => {
      const { status, stderr } = box.run(args);
      expect(status).toBe(1);
      return stderr.replace(/^.*without its index.*\n/m, "");
    });
  const said = refusals();
  expect(said[0]).toContain("is a folder");
  expect(said[1]).toContain("is a link to nowhere");
  expect(said[2]).toContain("nothing in");
  rmSync(index);
  expect(refusals()).toEqual(said);
  const streamed = box.run(["restore", name, hard, "--to", join(box.root, "third")]);
  expect(streamed.status).toBe(3);
  expect(streamed.stderr).toContain("restore that one, too");
});
