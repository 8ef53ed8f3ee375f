import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { failureOf, listAll, OWNER, readAll } from "../../../test/conformance/harness.ts";
import { sampleBytes } from "../../../test/conformance/sources.ts";
import type { Area, PutOptions } from "../../contracts/destination.ts";
import { bufferSource } from "../buffer-source.ts";
import { localIsConfigured } from "./configured.ts";
import { createLocalDestination } from "./local.ts";

let root: string;
let folder: string;

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
  folder = path.join(root, "archive");
  fs.mkdirSync(folder);
});
afterEach(() => fs.rmSync(root, { recursive: true }));

function as(area: Area): PutOptions {
  return { area, owner: OWNER, signal: AbortSignal.timeout(20_000) };
}

const ten = bufferSource(sampleBytes(10));

describe("what it writes", () => {
  it("is private, and hidden until it is whole", async () => {
    const local = createLocalDestination({ folder });
    await local.put("a.tar", ten, as("archive"));
    await local.put("job/run.json", ten, as("record"));
    expect(fs.statSync(path.join(folder, "a.tar")).mode & 0o777).toBe(0o600);
    expect(fs.statSync(path.join(folder, ".lifeboat")).mode & 0o777).toBe(0o700);
    expect(fs.statSync(path.join(folder, ".lifeboat/job/run.json")).mode & 0o777).toBe(0o600);
  });

  it("can be staged: nothing under the name before publish, nothing at all after discard", async () => {
    const local = createLocalDestination({ folder });
    const stage = await local.stage?.("a.tar", OWNER);
    if (stage === undefined) throw new Error("local can stage");
    fs.writeFileSync(stage.path, "archive");
    expect(path.dirname(stage.path)).toBe(folder);
    expect(path.basename(stage.path)).toMatch(/^\.a\.tar\..*\.partial$/);
    expect(await listAll(local, "archive")).toEqual([]);
    expect(await stage.publish()).toMatchObject({ name: "a.tar", sizeBytes: 7, verified: "size" });
    await stage.discard();
    expect(fs.readdirSync(folder)).toEqual(["a.tar"]);
    const second = await local.stage?.("b.tar", OWNER);
    await second?.discard();
    await second?.discard();
    expect(fs.readdirSync(folder)).toEqual(["a.tar"]);
  });

  it("takes names of up to 255 bytes and says no to longer ones", async () => {
    const local = createLocalDestination({ folder });
    const longest = `${"ü".repeat(125)}x.tar`;
    expect(Buffer.byteLength(longest)).toBe(255);
    await local.put(longest, ten, as("archive"));
    expect(fs.readdirSync(folder)).toEqual([longest]);
    expect(await failureOf(local.put(`${longest}x`, ten, as("archive")))).toHaveProperty("code", "invalid");
  });

  it("fails clearly, and makes nothing, where the folder is missing or is a file", async () => {
    const missing = path.join(root, "missing");
    const error = await failureOf(createLocalDestination({ folder: missing }).put("a.tar", ten, as("archive")));
    expect(error).toMatchObject({ code: "not-found", message: `the archive folder ${missing} does not exist` });
    expect(error).toHaveProperty("hint", expect.stringContaining("BACKUP_ARCHIVE"));
    expect(fs.existsSync(missing)).toBe(false);
    fs.writeFileSync(missing, "");
    expect(
      await failureOf(createLocalDestination({ folder: missing }).put("a.tar", ten, as("archive"))),
    ).toHaveProperty("code", "invalid");
  });

  it.skipIf(process.getuid?.() === 0)(
    "is denied, with a hint, where the folder may not be written (not shown as root)",
    async () => {
      fs.chmodSync(folder, 0o500);
      const error = await failureOf(createLocalDestination({ folder }).put("a.tar", ten, as("archive")));
      fs.chmodSync(folder, 0o700);
      expect(error).toMatchObject({
        code: "denied",
        message: `cannot store a.tar in ${folder}: permission denied`,
        hint: expect.stringContaining("writable"),
      });
    },
  );

  it("does not publish a staged file that another program replaced", async () => {
    const local = createLocalDestination({ folder });
    const stage = await local.stage?.("a.tar", OWNER);
    if (stage === undefined) throw new Error("local can stage");
    fs.rmSync(stage.path);
    fs.writeFileSync(stage.path, "foreign");
    expect(await failureOf(stage.publish())).toHaveProperty("code", "unavailable");
    await stage.discard();
    expect(fs.readFileSync(stage.path, "utf8")).toBe("foreign");
    expect(fs.existsSync(path.join(folder, "a.tar"))).toBe(false);
  });

  it("is not written as long as a reader sees a size other than the source's", async () => {
    const lying = { ...ten, finished: Promise.resolve({ sizeBytes: 11, sha256: "" }) };
    expect(await failureOf(createLocalDestination({ folder }).put("a.tar", lying, as("archive")))).toHaveProperty(
      "code",
      "unavailable",
    );
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});

describe("what stands in its way", () => {
  it.each(["folder", "link to a file", "link to nothing", "FIFO"])(
    "a %s under the archive's name is an error and stays",
    async (kind) => {
      const victim = path.join(root, "victim");
      fs.writeFileSync(victim, "precious");
      const target = path.join(folder, "a.tar");
      if (kind === "folder") {
        fs.mkdirSync(target);
        fs.writeFileSync(path.join(target, "inside"), "x");
      } else if (kind === "FIFO") execFileSync("mkfifo", [target]);
      else fs.symlinkSync(kind === "link to nothing" ? "../nothing" : "../victim", target);
      const local = createLocalDestination({ folder });
      expect(await failureOf(local.put("a.tar", ten, as("archive")))).toHaveProperty("code", "invalid");
      expect(await failureOf(local.stage?.("a.tar", OWNER) ?? Promise.resolve())).toHaveProperty("code", "invalid");
      expect(await failureOf(local.remove("archive", "a.tar", AbortSignal.timeout(5_000)))).toHaveProperty(
        "code",
        "invalid",
      );
      expect(await failureOf(local.get("archive", "a.tar", undefined, AbortSignal.timeout(5_000)))).toHaveProperty(
        "code",
        "invalid",
      );
      expect(await listAll(local, "archive")).toEqual([]);
      expect(fs.readdirSync(folder)).toEqual(["a.tar"]);
      expect(fs.readFileSync(victim, "utf8")).toBe("precious");
      expect(fs.existsSync(path.join(root, "nothing"))).toBe(false);
    },
  );

  it.each(["folder", "link"])("a %s that appears while the archive is written is an error and stays", async (kind) => {
    const local = createLocalDestination({ folder });
    const stage = await local.stage?.("a.tar", OWNER);
    const target = path.join(folder, "a.tar");
    if (kind === "folder") fs.mkdirSync(target);
    else fs.symlinkSync("../victim", target);
    expect(await failureOf(stage?.publish() ?? Promise.resolve())).toHaveProperty("code", "invalid");
    await stage?.discard();
    expect(fs.lstatSync(target).isFile()).toBe(false);
    expect(fs.readdirSync(folder)).toEqual(["a.tar"]);
  });

  it("planted links at temporary-looking names are neither followed nor removed", async () => {
    const victim = path.join(root, "victim");
    fs.writeFileSync(victim, "precious");
    fs.symlinkSync("../victim", path.join(folder, ".a.tar.partial"));
    const local = createLocalDestination({ folder });
    await local.put("a.tar", ten, as("archive"));
    await local.removeLeftovers(OWNER, AbortSignal.timeout(20_000));
    expect(fs.readFileSync(victim, "utf8")).toBe("precious");
    expect(fs.readdirSync(folder).toSorted()).toEqual([".a.tar.partial", "a.tar"]);
  });

  it("a link in place of a record folder leads nowhere", async () => {
    const outside = path.join(root, "outside");
    fs.mkdirSync(path.join(outside, "job"), { recursive: true });
    fs.writeFileSync(path.join(outside, "job", "run.json"), "precious");
    const local = createLocalDestination({ folder });
    for (const plant of [".lifeboat", ".lifeboat/job"]) {
      fs.rmSync(path.join(folder, ".lifeboat"), { recursive: true, force: true });
      if (plant !== ".lifeboat") fs.mkdirSync(path.join(folder, ".lifeboat"));
      fs.symlinkSync(plant === ".lifeboat" ? outside : path.join(outside, "job"), path.join(folder, plant));
      expect(await failureOf(local.put("job/run.json", ten, as("record")))).toHaveProperty("code", "invalid");
      expect(await failureOf(local.remove("record", "job/run.json", AbortSignal.timeout(5_000)))).toHaveProperty(
        "code",
        "invalid",
      );
      expect(
        await failureOf(local.get("record", "job/run.json", undefined, AbortSignal.timeout(5_000))),
      ).toHaveProperty("code", "invalid");
      await local.removeLeftovers(OWNER, AbortSignal.timeout(20_000));
      const listed = await listAll(local, "record").catch(() => []);
      expect(listed).toEqual([]);
      expect(fs.readdirSync(outside, { recursive: true })).toEqual(["job", "job/run.json"]);
      expect(fs.readFileSync(path.join(outside, "job", "run.json"), "utf8")).toBe("precious");
    }
  });
});

describe("what it lists", () => {
  it("is regular, finished, visible files with names in UTF-8, or hidden archives", async () => {
    for (const name of [
      "a.tar.gz",
      "notes.txt",
      ".hidden",
      ".hidden.tar.gz",
      ".a.tar.gz.partial",
      "b.tar.gz.partial",
      ".a.tar.gz.Xy12ab",
    ]) {
      fs.writeFileSync(path.join(folder, name), name);
    }
    fs.writeFileSync(Buffer.concat([Buffer.from(`${folder}/bad-`), Buffer.from([0xff])]), "x");
    fs.mkdirSync(path.join(folder, "sub.tar.gz"));
    fs.symlinkSync("a.tar.gz", path.join(folder, "latest.tar.gz"));
    execFileSync("mkfifo", [path.join(folder, "fifo.tar.gz")]);
    const names = (await listAll(createLocalDestination({ folder }), "archive")).map((object) => object.name);
    expect(names).toEqual([".hidden.tar.gz", "a.tar.gz", "notes.txt"]);
  });

  it("is nothing for a folder that does not exist", async () => {
    const local = createLocalDestination({ folder: path.join(root, "missing") });
    expect(await listAll(local, "archive")).toEqual([]);
    expect(await listAll(local, "record")).toEqual([]);
    expect(await local.removeLeftovers(OWNER, AbortSignal.timeout(5_000))).toBe(0);
    await local.remove("archive", "a.tar", AbortSignal.timeout(5_000));
    expect(await failureOf(local.get("archive", "a.tar", undefined, AbortSignal.timeout(5_000)))).toHaveProperty(
      "code",
      "not-found",
    );
  });
});

describe("BACKUP_LATEST_SYMLINK", () => {
  it("is relative, points at the newest archive, and there is always one", async () => {
    const warnings: string[] = [];
    const local = createLocalDestination({ folder, latestSymlink: "latest", onWarning: (text) => warnings.push(text) });
    await local.put("a.tar", ten, as("archive"));
    expect(fs.readlinkSync(path.join(folder, "latest"))).toBe("a.tar");
    let missing = 0;
    const watcher = setInterval(() => {
      missing += fs.lstatSync(path.join(folder, "latest"), { throwIfNoEntry: false }) === undefined ? 1 : 0;
    }, 0);
    for (let at = 0; at < 20; at += 1) await local.put(`b${at}.tar`, ten, as("archive"));
    clearInterval(watcher);
    expect(missing).toBe(0);
    expect(fs.readlinkSync(path.join(folder, "latest"))).toBe("b19.tar");
    await local.put("job/run.json", ten, as("record"));
    expect(fs.readlinkSync(path.join(folder, "latest"))).toBe("b19.tar");
    expect(await readAll(local, "archive", "b19.tar")).toHaveLength(10);
    expect(warnings).toEqual([]);
    expect(fs.readdirSync(folder).filter((name) => name.endsWith(".partial"))).toEqual([]);
  });

  it("is refused, as a warning, where it would replace or leave anything else", async () => {
    fs.writeFileSync(path.join(folder, "file"), "precious");
    fs.mkdirSync(path.join(folder, "dir"));
    for (const link of ["file", "dir", "a.tar", "../out", "sub/link", "..", ".", "x\0y", ".lifeboat"]) {
      const warnings: string[] = [];
      const local = createLocalDestination({ folder, latestSymlink: link, onWarning: (text) => warnings.push(text) });
      await local.put("a.tar", ten, as("archive"));
      expect(warnings).toEqual([expect.stringContaining("BACKUP_LATEST_SYMLINK is not updated")]);
    }
    expect(fs.readdirSync(folder).toSorted()).toEqual(["a.tar", "dir", "file"]);
    expect(fs.readFileSync(path.join(folder, "file"), "utf8")).toBe("precious");
    expect(fs.readdirSync(root)).toEqual(["archive"]);
  });
});

describe("localIsConfigured", () => {
  it("takes a chosen folder as it is, and the default one only where it exists", () => {
    expect(localIsConfigured(true, path.join(root, "missing"))).toBe(true);
    expect(localIsConfigured(true, "")).toBe(false);
    expect(localIsConfigured(false, "")).toBe(false);
    expect(localIsConfigured(false, folder)).toBe(true);
    expect(localIsConfigured(false, path.join(root, "missing"))).toBe(false);
    const mounted = fs.existsSync("/archive");
    expect(localIsConfigured(true, "/archive/")).toBe(mounted);
    expect(localIsConfigured(false, "/archive")).toBe(mounted);
  });
});
