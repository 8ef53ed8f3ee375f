import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Sandbox } from "./sandbox.ts";

/** Archives to which something was added, and those of other programs: one piece of compressed data, one checksum. */

let box: Sandbox;

beforeEach(() => {
  box = new Sandbox();
  for (let at = 0; at < 20; at += 1) writeFileSync(join(box.source, `file-${10 + at}`), noise(at, 90_000));
  box.job("site.env", "BACKUP_FILENAME=site.{{ .Extension }}");
});
afterEach(async () => box.dispose());

/** Many commands, each a process of its own. */
const SLOW_MS = 120_000;

function noise(seed: number, bytes: number): Buffer {
  return createHash("shake256", { outputLength: bytes }).update(String(seed)).digest();
}

const archive = (): string => join(box.archive, "site.tar.gz");

function restore(): { status: number | null; stdout: string; stderr: string; differences: string } {
  const target = join(box.root, "target");
  rmSync(target, { recursive: true, force: true });
  const ran = box.run(["restore", "site.tar.gz", "--to", target]);
  const differ = spawnSync("diff", ["-rq", "--no-dereference", box.source, join(target, box.source)]);
  return { ...ran, differences: differ.stdout.toString() };
}

/** Everything that is not in the target is named with its path in the archive. */
function expectNamed(stderr: string): void {
  const target = join(box.root, "target");
  for (let at = 0; at < 20; at += 1) {
    const file = join(box.source, `file-${10 + at}`);
    if (!existsSync(join(target, file))) expect(stderr).toContain(`${file.slice(1)}: is lost\n`);
  }
}

function packWithTar(): void {
  spawnSync("tar", ["-czf", archive(), "-C", "/", box.source.slice(1)]);
}

const ADDED: readonly (readonly [string, (good: Buffer) => Buffer])[] = [
  ["some bytes", () => Buffer.from("more")],
  ["zeros", () => Buffer.alloc(3000)],
  ["itself", (good) => good],
];

describe("an archive to which something was added", () => {
  it.each(ADDED)("is restored whole through its index: %s", { timeout: SLOW_MS }, (_name, added) => {
    expect(box.run(["run"]).status).toBe(0);
    const good = readFileSync(archive());
    appendFileSync(archive(), added(good));
    const { status, stderr, differences } = restore();
    expect([status, differences], stderr).toEqual([0, ""]);
    expect(stderr).toContain(`goes on behind its end, with ${added(good).length} bytes too many`);
    expect(stderr).not.toContain("without its index");
    // Its bytes are no longer those that the run stored.
    expect(box.run(["get", "site.tar.gz", "--output", join(box.root, "copy")]).status).toBe(1);
  });

  it("is read from the front where something was put into its middle", { timeout: SLOW_MS }, () => {
    expect(box.run(["run"]).status).toBe(0);
    const good = readFileSync(archive());
    writeFileSync(archive(), Buffer.concat([good.subarray(0, 1_000_000), noise(1, 512), good.subarray(1_000_000)]));
    const { status, stderr } = restore();
    expect(status).toBe(3);
    expect(stderr).toContain("it was changed");
    expectNamed(stderr);
  });

  it("is told of the file that bytes were put into, which no checksum tells", { timeout: SLOW_MS }, () => {
    box.job("site.env", "BACKUP_FILENAME=site.tar.gz", "BACKUP_COMPRESSION=none");
    expect(box.run(["run"]).status).toBe(0);
    const good = readFileSync(archive());
    const at = good.indexOf(noise(5, 90_000)) + 1000;
    writeFileSync(archive(), Buffer.concat([good.subarray(0, at), noise(1, 512), good.subarray(at)]));
    const { status, stderr, differences } = restore();
    expect([status, differences.trim().split("\n").length]).toEqual([3, 1]);
    expect(stderr).toMatch(/file-15: lies in front of the damaged header; what was restored of it may be wrong/);
  });

  it("is named where too little of it is left for its index to be used", { timeout: SLOW_MS }, () => {
    expect(box.run(["run"]).status).toBe(0);
    truncateSync(archive(), 300_000);
    const { status, stderr, differences } = restore();
    expect(status).toBe(1);
    expect(differences.split("\n").filter((line) => line.startsWith("Only in")).length).toBeGreaterThan(15);
    expectNamed(stderr);
    const one = join(box.source, "file-29").slice(1);
    const wanted = box.run(["restore", "site.tar.gz", one, "--to", join(box.root, "one")]);
    expect(wanted.status).toBe(1);
    expect(wanted.stderr.split("\n").filter((line) => line.endsWith(": is lost"))).toEqual([`${one}: is lost`]);
  });

  it.each(ADDED.filter(([name]) => name !== "zeros"))(
    "is restored whole where others made it: %s",
    { timeout: SLOW_MS },
    (_name, added) => {
      packWithTar();
      appendFileSync(archive(), added(readFileSync(archive())));
      const { status, stdout, stderr, differences } = restore();
      expect([status, differences], stderr).toEqual([3, ""]);
      expect(stdout).toMatch(/^restored 21 files/);
      expect(stderr).toMatch(/something else follows its .*; that was not read/);
      expect(stderr).not.toContain("not restored");
    },
  );
});

describe("a damaged archive of others", () => {
  it("is said to be wrong anywhere, and what was restored is counted", { timeout: SLOW_MS }, () => {
    packWithTar();
    const bytes = readFileSync(archive());
    const at = Math.floor(bytes.length / 2);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(archive(), bytes);
    const { status, stdout, stderr, differences } = restore();
    expect(status).toBe(3);
    const count = Number(/^restored (\d+) files?/.exec(stdout)?.[1]);
    const missing = differences.split("\n").filter((line) => line.startsWith("Only in"));
    expect(count).toBe(21 - missing.length);
    expect(stderr).toContain("anything else restored from before it may be wrong");
  });
});

it(
  "an archive with a file twice: the last one counts, and get does not give another for it",
  { timeout: SLOW_MS },
  () => {
    const file = join(box.source, "index.html");
    const tar = join(box.archive, "site.tar");
    for (const [flag, text] of [
      ["-cf", "old"],
      ["-rf", "new"],
    ] as const) {
      writeFileSync(file, text);
      spawnSync("tar", [flag, tar, "-C", "/", file.slice(1)]);
    }
    const target = join(box.root, "target");
    expect(box.run(["restore", "site.tar", "--to", target]).status).toBe(0);
    expect(readFileSync(join(target, file), "utf8")).toBe("new");
    const got = box.run(["get", "site.tar", file.slice(1), "--output", join(box.root, "copy")]);
    expect([got.status, existsSync(join(box.root, "copy"))]).toEqual([1, false]);
    expect(got.stderr).toContain("more than once");
  },
);
