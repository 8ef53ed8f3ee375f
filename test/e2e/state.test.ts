import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Sandbox } from "./sandbox.ts";

let box: Sandbox;
const mounted: string[] = [];
beforeEach(() => {
  box = new Sandbox();
  box.job("site.env", "BACKUP_FILENAME=site-%S-%f.tar.gz");
});
afterEach(() => {
  for (const path of mounted.splice(0)) spawnSync("umount", [path]);
  box.dispose();
});

const mount = (...args: string[]): boolean => spawnSync("mount", args).status === 0;
const canMount = ((): boolean => {
  if (process.getuid?.() !== 0) return false;
  const probe = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "none", "/tmp"]);
  return probe.status === 0;
})();

interface Run {
  readonly id: string;
  readonly status: string;
}

function expectGoodRun(said: RegExp): void {
  const { status, stdout } = box.run(["run"]);
  expect(stdout).toMatch(said);
  expect(status).toBe(0);
}

/** The records beside the archives tell what the state folder can't. */
function expectKnown(count: number): void {
  const runs = box.json(["history"]) as Run[];
  expect(runs).toHaveLength(count);
  expect(new Set(runs.map((run) => run.id)).size).toBe(count);
  expect(runs.every((run) => run.status === "success")).toBe(true);
  const archives = box.json(["list"]) as { status: string }[];
  expect(archives).toHaveLength(count);
  expect(archives.every((archive) => archive.status === "success")).toBe(true);
}

describe("a state folder that is", () => {
  it("missing and can't be made", () => {
    writeFileSync(join(box.root, "blocker"), "");
    const { status, stdout } = box.run(["run"], { STATE_DIR: join(box.root, "blocker", "state") });
    expect(status).toBe(0);
    expect(stdout).toContain(join(box.root, "blocker"));
    expectKnown(1);
  });

  it("lost between two runs", () => {
    expectGoodRun(/run succeeded/);
    rmSync(box.state, { recursive: true });
    expectGoodRun(/run succeeded/);
    expectKnown(2);
    rmSync(box.state, { recursive: true });
    expectKnown(2);
  });

  it.skipIf(!canMount)("read-only (needs the right to mount)", () => {
    mkdirSync(box.state);
    expect(mount("-t", "tmpfs", "-o", "size=1m", "none", box.state)).toBe(true);
    mounted.push(box.state);
    expectGoodRun(/run succeeded/);
    expect(mount("-o", "remount,ro", box.state)).toBe(true);
    expectGoodRun(/warn .*history/);
    expectKnown(2);
  });

  it.skipIf(!canMount)("full (needs the right to mount)", () => {
    mkdirSync(box.state);
    expect(mount("-t", "tmpfs", "-o", "size=64k", "none", box.state)).toBe(true);
    mounted.push(box.state);
    spawnSync("dd", ["if=/dev/zero", `of=${join(box.state, "filler")}`, "bs=4k"]);
    expectGoodRun(/warn .*history/);
    expectGoodRun(/warn .*history/);
    expectKnown(2);
  });
});

it.skipIf(!canMount)(
  "an archive folder that is full: a clear failure with sizes, and nothing left (needs the right to mount)",
  () => {
    writeFileSync(
      join(box.source, "noise"),
      Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => (at * 2_654_435_761) >>> 24)),
    );
    expect(mount("-t", "tmpfs", "-o", "size=1m", "none", box.archive)).toBe(true);
    mounted.push(box.archive);
    box.job("site.env", "BACKUP_COMPRESSION=none");
    const { status, stdout } = box.run(["run"]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/not enough space in .*archive.*free/);
    expect(box.archives()).toEqual([]);
    expect(box.hidden()).toEqual([]);
    expect((box.json(["history"]) as Run[])[0]?.status).toBe("failed");
  },
);

it.each(["with", "without"])(
  "notices an archive much smaller than usual, %s a state folder, and prunes nothing then",
  (state) => {
    if (state === "without") writeFileSync(box.state, "a file where the folder should be");
    const noise = (bytes: number): Buffer =>
      Buffer.from(Array.from({ length: bytes }, (_, at) => ((at + 1) * 2_654_435_761) >>> 24));
    writeFileSync(join(box.source, "noise"), noise(200_000));
    box.job("site.env", "BACKUP_FILENAME=site-%S-%f.tar", "BACKUP_COMPRESSION=none", "BACKUP_KEEP_LAST=2");
    for (let run = 0; run < 3; run += 1) expect(box.run(["run"]).status).toBe(0);
    expect(box.archives()).toHaveLength(2);
    writeFileSync(join(box.source, "noise"), noise(10_000));
    const { status, stdout } = box.run(["run"]);
    expect(status).toBe(3);
    expect(stdout).toContain("much smaller than usual");
    expect(box.archives()).toHaveLength(3);
    // Another compression is another size; that is no loss.
    box.job("site.env", "BACKUP_FILENAME=site-%S-%f.{{ .Extension }}");
    expect(box.run(["run"]).status).toBe(0);
  },
);

it("a run that is only partial does not remove the last good archive, and restore latest takes a whole one", () => {
  box.job("site.env", "BACKUP_FILENAME=site-%S-%f.tar.gz", "BACKUP_KEEP_LAST=1");
  expect(box.run(["run"]).status).toBe(0);
  const [good = ""] = box.archives();
  box.job(
    "site.env",
    "BACKUP_FILENAME=site-%S-%f.tar.gz",
    "BACKUP_KEEP_LAST=1",
    `BACKUP_SOURCES=${box.source},${box.root}/missing`,
  );
  expect(box.run(["run"]).status).toBe(3);
  expect(box.archives()).toHaveLength(2);
  expect(box.archives()).toContain(good);
  writeFileSync(join(box.archive, "site-59-999999.tar.gz"), "");
  const { status, stdout } = box.run(["restore", "latest", "--to", join(box.root, "restored")]);
  expect(status).toBe(0);
  expect(stdout).toContain(good);
  rmSync(join(box.archive, ".lifeboat"), { recursive: true });
  writeFileSync(join(box.archive, ".lifeboat"), "a file in the folder's place");
  expect(box.run(["restore", good, "--to", join(box.root, "restored-2")]).status).toBe(0);
});

it("shows files and archives whose times no calendar holds", () => {
  box.job("site.env", "BACKUP_FILENAME=site-%S-%f.tar", "BACKUP_COMPRESSION=none");
  expect(box.run(["run"]).status).toBe(0);
  const [name = ""] = box.archives();
  spawnSync("touch", ["-d", "@99999999999999", join(box.archive, name)]);
  for (const args of [["list"], ["list", "--json"], ["show", name], ["prune", "--dry-run"]]) {
    const { status, stderr } = box.run(args);
    expect(stderr).not.toContain("bug");
    expect(status).toBe(0);
  }
});
