import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { acquireLock } from "../../src/state/lock.ts";
import { Sandbox } from "./sandbox.ts";

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
});
afterEach(() => box.dispose());

const namesIn = (path: string): string[] =>
  spawnSync("tar", ["-tf", path], { encoding: "utf8" }).stdout.trim().split("\n");

describe("lifeboat run", () => {
  it("makes an archive, records it, and leaves nothing else behind", () => {
    box.job("site.env", "BACKUP_FILENAME=site-%Y%m%d.{{ .Extension }}");
    const { status, stdout } = box.run(["run"]);
    expect(stdout).toContain("run succeeded");
    expect(status).toBe(0);
    const [name = "", ...others] = box.archives();
    expect(name).toMatch(/^site-\d{8}\.tar\.gz$/);
    expect(others).toEqual([]);
    expect(box.hidden()).toEqual([]);
    expect(existsSync(box.lock)).toBe(false);
    expect(namesIn(join(box.archive, name)).map((path) => path.slice(box.root.length - 1))).toEqual([
      "/backup/",
      "/backup/index.html",
    ]);
    const [run] = box.json(["history"]) as { status: string; archive: { name: string; sha256: string } }[];
    expect(run?.status).toBe("success");
    const digest = spawnSync("sha256sum", [join(box.archive, name)], { encoding: "utf8" }).stdout.slice(0, 64);
    expect(run?.archive).toMatchObject({ name, sha256: digest });
  });

  it("says what a run did in JSON on standard output alone", () => {
    box.job("site.env");
    const { stdout, stderr } = box.run(["run", "--json"]);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ status: "success", job: "site", trigger: "manual" });
    expect(stderr).toContain("run succeeded");
  });

  it("fails where there is nothing to back up, and neither delivers nor prunes", () => {
    rmSync(join(box.source, "index.html"));
    const old = join(box.archive, "backup-2020-01-01T00-00-00.tar.gz");
    writeFileSync(old, "an old one");
    utimesSync(old, 1_000_000_000, 1_000_000_000);
    box.job("site.env", "BACKUP_RETENTION_DAYS=1");
    const { status, stdout } = box.run(["run"]);
    expect(status).toBe(1);
    expect(stdout).toContain("nothing to back up");
    expect(box.archives()).toEqual(["backup-2020-01-01T00-00-00.tar.gz"]);
  });

  it("fails where there is no destination", () => {
    box.job("site.env", "BACKUP_ARCHIVE=");
    const { status, stdout } = box.run(["run"]);
    expect(status).toBe(1);
    expect(stdout).toContain("no destination");
  });

  it("is partial where one source of several is missing", () => {
    box.job("site.env", `BACKUP_SOURCES=${box.source},${box.root}/missing`);
    const { status } = box.run(["run"]);
    expect(status).toBe(3);
    expect(box.archives()).toHaveLength(1);
    expect(box.run(["history"]).stdout).toContain("partial");
  });

  it.skipIf(process.getuid?.() === 0)("is partial where a file can't be read, and names it", () => {
    writeFileSync(join(box.source, "secret.txt"), "x");
    chmodSync(join(box.source, "secret.txt"), 0);
    box.job("site.env");
    const { status, stdout } = box.run(["run"]);
    expect(status).toBe(3);
    expect(stdout).toContain(join(box.source, "secret.txt"));
  });

  it("runs only the named jobs; an unknown name is wrong use", () => {
    box.job("one.env", "BACKUP_FILENAME=one.{{ .Extension }}");
    box.job("two.env", "BACKUP_FILENAME=two.{{ .Extension }}");
    expect(box.run(["run", "two"]).status).toBe(0);
    expect(box.archives()).toEqual(["two.tar.gz"]);
    const { status, stderr } = box.run(["run", "three"]);
    expect(status).toBe(2);
    expect(stderr).toContain("one, two");
  });

  it("runs the good jobs and ends with 5 where one is broken", () => {
    box.job("good.env", "BACKUP_FILENAME=good.tar.gz");
    box.job("bad.env", "BACKUP_COMPRESSION=rar");
    const { status, stdout } = box.run(["run"]);
    expect(status).toBe(5);
    expect(stdout).toContain("BACKUP_COMPRESSION");
    expect(box.archives()).toEqual(["good.tar.gz"]);
  });

  it("waits for the lock as long as LOCK_TIMEOUT and then ends with 4", async () => {
    box.job("site.env", "LOCK_TIMEOUT=300ms");
    const lock = await acquireLock({
      path: box.lock,
      timeoutMs: 0,
      signal: new AbortController().signal,
      job: "other",
    });
    const { status, stdout } = box.run(["run"]);
    lock.release();
    expect(status).toBe(4);
    expect(stdout).toContain("waiting for another run");
    expect(box.archives()).toEqual([]);
    expect(box.run(["history"]).stdout).toContain("failed");
    expect(box.run(["run"]).status).toBe(0);
  });

  it("refuses what is configured but not built, and says so", () => {
    box.job("site.env", "AGE_PASSPHRASE=hunter");
    const { status, stdout } = box.run(["run"]);
    expect(status).toBe(5);
    expect(stdout).toContain("not built yet");
    expect(box.archives()).toEqual([]);
  });

  it("keeps the latest link on the newest archive", () => {
    box.job("site.env", "BACKUP_LATEST_SYMLINK=latest", "BACKUP_FILENAME=site-%S.tar.gz");
    expect(box.run(["run"]).status).toBe(0);
    expect(box.archives()).toContain(readlinkSync(join(box.archive, "latest")));
  });

  it("replaces nothing that is not an archive of that name", () => {
    mkdirSync(join(box.archive, "site.tar.gz"));
    writeFileSync(join(box.archive, "site.tar.gz", "keep"), "me");
    box.job("site.env", "BACKUP_FILENAME=site.tar.gz");
    expect(box.run(["run"]).status).toBe(1);
    expect(readFileSync(join(box.archive, "site.tar.gz", "keep"), "utf8")).toBe("me");
    expect(box.hidden()).toEqual([]);
  });

  it("does not archive its own archives", () => {
    const inside = join(box.source, "archives");
    mkdirSync(inside);
    box.job("site.env", `BACKUP_ARCHIVE=${inside}`, "BACKUP_FILENAME=site-%S-%f.tar.gz");
    expect(box.run(["run"]).status).toBe(0);
    expect(box.run(["run"]).status).toBe(0);
    for (const name of readdirSync(inside).filter((entry) => entry.endsWith(".gz"))) {
      expect(namesIn(join(inside, name)).some((path) => path.endsWith(".tar.gz"))).toBe(false);
    }
  });

  it("never gives one job another job's archive name", () => {
    box.job("a.env", "BACKUP_FILENAME=same.tar.gz");
    expect(box.run(["run"]).status).toBe(0);
    const before = readFileSync(join(box.archive, "same.tar.gz"));
    rmSync(join(box.config, "a.env"));
    box.job("b.env", "BACKUP_FILENAME=same.tar.gz");
    const { status, stdout } = box.run(["run"]);
    expect(status).toBe(1);
    expect(stdout).toContain("belongs to the job a");
    expect(readFileSync(join(box.archive, "same.tar.gz")).equals(before)).toBe(true);
  });

  it("prunes by the job's rules, only its own, and says what it removed", () => {
    const old = (name: string): void => {
      const path = join(box.archive, name);
      writeFileSync(path, "old");
      utimesSync(path, 1_000_000_000, 1_000_000_000);
    };
    for (const name of ["backup-2001-09-09T01-46-40.tar.gz", "foreign.tar.gz", "backup-notes.txt"]) old(name);
    box.job("site.env", "BACKUP_RETENTION_DAYS=7");
    const dry = box.run(["prune", "--dry-run"]);
    expect(dry.stdout).toMatch(/keep .*backup-2001/);
    const { status, stdout } = box.run(["run"]);
    expect(status).toBe(0);
    expect(stdout).toContain("removed backup-2001-09-09T01-46-40.tar.gz");
    expect(box.archives()).toEqual(expect.arrayContaining(["foreign.tar.gz", "backup-notes.txt"]));
    expect(box.archives()).not.toContain("backup-2001-09-09T01-46-40.tar.gz");
  });
});

describe("getting it back", () => {
  it("lists, shows, copies and restores", () => {
    mkdirSync(join(box.source, "sub"));
    writeFileSync(join(box.source, "sub", "ünï.txt"), "x".repeat(1000));
    symlinkSync("index.html", join(box.source, "link"));
    box.job("site.env");
    expect(box.run(["run"]).status).toBe(0);
    const [name = ""] = box.archives();
    expect(box.run(["list"]).stdout).toContain(name);
    expect(box.run(["show", name]).stdout).toContain("sub/ünï.txt");
    expect(
      box
        .run(["show", "latest", `${box.source}/sub`])
        .stdout.trim()
        .split("\n"),
    ).toHaveLength(2);
    const target = join(box.root, "restored");
    expect(box.run(["restore", "latest", "--to", target]).status).toBe(0);
    expect(spawnSync("diff", ["-r", "--no-dereference", box.source, join(target, box.source)]).status).toBe(0);
    const copy = join(box.root, "copy.tar.gz");
    expect(box.run(["get", name, "-o", copy]).status).toBe(0);
    expect(readFileSync(copy).equals(readFileSync(join(box.archive, name)))).toBe(true);
    expect(box.run(["get", name, "-o", copy]).status).toBe(1);
  });

  it("says that an archive was damaged after it was stored", () => {
    box.job("site.env", "BACKUP_COMPRESSION=none");
    expect(box.run(["run"]).status).toBe(0);
    const path = join(box.archive, box.archives()[0] ?? "");
    const bytes = readFileSync(path);
    bytes[600] = (bytes[600] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const { status, stderr } = box.run(["get", "latest", "-o", join(box.root, "copy")]);
    expect(status).toBe(1);
    expect(stderr).toContain("damaged");
    expect(existsSync(join(box.root, "copy"))).toBe(false);
  });

  it("says what is missing", () => {
    box.job("site.env");
    const { status, stderr } = box.run(["show", "nothing.tar.gz"]);
    expect(status).toBe(1);
    expect(stderr).toContain("no archive is called nothing.tar.gz");
  });
});
