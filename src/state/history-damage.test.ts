import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { completeReport, nthReport, seeded } from "./fixtures/sample-report.ts";
import { openHistory } from "./history.ts";
import type { History, HistoryOptions } from "./history.ts";
import { parseRunReport } from "./report-json.ts";

let folder = "";
let stateDir = "";
let file = "";
let notes: string[] = [];
const mounts: string[] = [];

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
  stateDir = path.join(folder, "state");
  file = path.join(stateDir, "history.db");
  notes = [];
});

afterEach(() => {
  for (const place of mounts.splice(0).toReversed()) spawnSync("umount", [place]);
  fs.rmSync(folder, { recursive: true, force: true });
});

const open = (options: Partial<HistoryOptions> = {}): Promise<History> =>
  openHistory({ stateDir, onNote: (text) => notes.push(text), ...options });

async function fill(count: number): Promise<void> {
  const history = await open();
  for (let n = 0; n < count; n += 1) history.begin(completeReport({ ...nthReport(n), steps: completeReport().steps }));
  history.close();
}

function mount(...options: string[]): void {
  const run = spawnSync("mount", [...options, stateDir], { encoding: "utf8" });
  if (run.status !== 0) throw new Error(run.stderr);
  mounts.push(stateDir);
}

const mayMount = ((): boolean => {
  const place = fs.mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "none", place]).status === 0;
  if (mounted) spawnSync("umount", [place]);
  fs.rmdirSync(place);
  return mounted;
})();
const needsMount = mayMount ? "" : " (skipped: this user may not mount)";

/** What must hold whatever became of the file: nothing throws, a new run is kept and found again, and is said where it is not. */
async function expectToGoOn(): Promise<void> {
  const report = completeReport({ id: "after-damage", startedAt: "2027-01-01T00:00:00.000Z" });
  const history = await open();
  history.begin({ ...report, status: "running" });
  for (const run of history.runs({ limit: 1000 })) expect(parseRunReport(run)).toEqual(run);
  history.update(report);
  history.prune(10_000);
  expect(history.run(report.id)).toEqual(report);
  const { persistent } = history;
  history.close();
  const again = await open();
  expect([persistent, again.run(report.id)]).toEqual([true, report]);
  again.close();
}

it.each([
  ["text", Buffer.from("this was never a database\n".repeat(300))],
  ["zeros", Buffer.alloc(50_000)],
  ["a bare header", Buffer.from("SQLite format 3\0")],
])("sets aside a file of %s, and says so", async (_, content) => {
  fs.mkdirSync(stateDir);
  fs.writeFileSync(file, content);
  await expectToGoOn();
  expect(notes).toEqual([expect.stringContaining("was damaged")]);
  const aside = fs.readdirSync(stateDir).filter((name) => /^history\.db\.damaged-\d{8}T\d{6}Z$/.test(name));
  expect(aside).toHaveLength(1);
  expect(fs.readFileSync(path.join(stateDir, aside[0] ?? "")).equals(content)).toBe(true);
});

it.each(["", "S"])("begins in a file that is as good as empty without a word: %j", async (content) => {
  fs.mkdirSync(stateDir);
  fs.writeFileSync(file, content);
  await expectToGoOn();
  expect(notes).toEqual([]);
});

it("sets aside another program's database", async () => {
  fs.mkdirSync(stateDir);
  spawnSync("python3", [
    "-c",
    "import sqlite3,sys\ndb=sqlite3.connect(sys.argv[1])\ndb.execute('create table runs(x)')\ndb.commit()",
    file,
  ]);
  await expectToGoOn();
  expect(notes).toHaveLength(1);
});

it("does not touch a database of a newer version", async () => {
  await fill(2);
  spawnSync("python3", [
    "-c",
    "import sqlite3,sys\ndb=sqlite3.connect(sys.argv[1])\ndb.execute('pragma user_version=7');db.execute('pragma application_id=%d'%(0x4c420007))\ndb.execute('drop table steps')\ndb.commit()",
    file,
  ]);
  const before = fs.readFileSync(file);
  const history = await open();
  history.begin(nthReport(9));
  expect(history.runs()).toEqual([nthReport(9)]);
  expect(history.persistent).toBe(false);
  expect(notes).toEqual([expect.stringContaining("newer Lifeboat")]);
  history.close();
  expect(fs.readFileSync(file).equals(before)).toBe(true);
  expect(fs.readdirSync(stateDir).filter((name) => name.includes("damaged"))).toEqual([]);
});

it("keeps the newest three damaged ones, and other files", async () => {
  fs.mkdirSync(stateDir);
  fs.writeFileSync(`${file}.damaged-by-hand`, "mine");
  for (let n = 0; n < 6; n += 1) {
    fs.writeFileSync(file, `garbage ${n}`);
    if (n === 0)
      for (const suffix of ["", "-wal"]) fs.writeFileSync(`${file}.damaged-20250101T000000Z${suffix}`, "oldest");
    (await open({ now: () => Date.UTC(2026, 0, 1) + Math.floor(n / 2) * 1000 })).close();
  }
  const names = fs.readdirSync(stateDir).filter((name) => name.includes("damaged"));
  expect(names.sort()).toEqual([
    "history.db.damaged-20260101T000001Z-2",
    "history.db.damaged-20260101T000002Z",
    "history.db.damaged-20260101T000002Z-2",
    "history.db.damaged-by-hand",
  ]);
  expect(fs.readFileSync(`${file}.damaged-20260101T000002Z-2`, "utf8")).toBe("garbage 5");
});

it("goes on after damage anywhere in the file", { timeout: 500_000 }, async () => {
  await fill(60);
  const whole = fs.readFileSync(file);
  const random = seeded(Number(process.env["DAMAGE_SEED"] ?? 20_261_122));
  const pick = (below: number): number => Math.floor(random() * below);
  let asides = 0;
  for (let round = 0; round < Number(process.env["DAMAGE_ROUNDS"] ?? 100); round += 1) {
    fs.rmSync(stateDir, { recursive: true });
    fs.mkdirSync(stateDir);
    const damaged = Buffer.from(whole);
    // Headers and page starts are hit more often than chance would.
    const at =
      round % 5 === 0 ? pick(100) : round % 5 === 1 ? pick(whole.length / 4096) * 4096 + pick(12) : pick(whole.length);
    const length = round % 3 === 0 ? 1 : 1 + pick(300);
    for (let n = at; n < Math.min(at + length, damaged.length); n += 1) damaged[n] = pick(256);
    fs.writeFileSync(file, round % 7 === 6 ? damaged.subarray(0, 1 + pick(whole.length)) : damaged);
    if (round % 11 === 10) fs.writeFileSync(`${file}-wal`, damaged.subarray(0, pick(20_000)));
    notes = [];
    try {
      await expectToGoOn();
    } catch (error) {
      throw new Error(`round ${round}: ${length} bytes at ${at}; ${notes.join("; ")}`, { cause: error });
    }
    asides += fs.readdirSync(stateDir).filter((name) => name.includes("damaged")).length > 0 ? 1 : 0;
  }
  expect(asides).toBeGreaterThan(15);
});

it("goes on when the file is damaged while it is open", async () => {
  await fill(200);
  const history = await open();
  history.begin(nthReport(900));
  const handle = fs.openSync(file, "r+");
  for (let at = 0; at < fs.fstatSync(handle).size; at += 4096)
    fs.writeSync(handle, Buffer.alloc(4000, 0xa5), 0, 4000, at);
  fs.closeSync(handle);
  for (let n = 901; n < 1000; n += 1) history.begin(nthReport(n));
  history.runs({ limit: 1000 });
  history.update(nthReport(999, { status: "failed" }));
  expect(history.run(nthReport(999).id)?.status).toBe("failed");
  history.close();
  notes = [];
  await expectToGoOn();
});

it.each(["a file", "a file in its parent's place"])(
  "lives in memory where the state folder is %s, and says it once",
  async (what) => {
    if (what === "a file") fs.writeFileSync(stateDir, "x");
    else {
      fs.writeFileSync(path.join(folder, "x"), "x");
      stateDir = path.join(folder, "x", "state");
    }
    const history = await open();
    history.begin(nthReport(1));
    history.update(nthReport(1));
    expect([history.persistent, history.where]).toEqual([false, "memory"]);
    expect(history.runs()).toEqual([nthReport(1)]);
    history.close();
    expect(notes).toEqual([expect.stringContaining("in memory only")]);
  },
);

it.each(["folder", "fifo"])("leaves a %s in the database's place alone", async (what) => {
  fs.mkdirSync(stateDir);
  if (what === "folder") fs.mkdirSync(file);
  else spawnSync("mkfifo", [file]);
  const history = await open();
  history.begin(nthReport(1));
  expect(history.runs()).toEqual([nthReport(1)]);
  history.close();
  expect(notes).toHaveLength(1);
  expect(fs.readdirSync(stateDir)).toEqual(["history.db"]);
});

it.skipIf(!mayMount)(`takes the earlier runs along into memory on a read-only mount${needsMount}`, async () => {
  await fill(3);
  mount("--bind", stateDir);
  mount("-o", "remount,bind,ro");
  const history = await open();
  expect(history.persistent).toBe(false);
  history.begin(nthReport(9));
  expect(history.runs().map((run) => run.id)).toEqual([9, 2, 1, 0].map((n) => nthReport(n).id));
  history.close();
  expect(notes).toEqual([expect.stringContaining("read-only")]);
  const reader = await open({ readOnly: true });
  expect([reader.persistent, reader.runs().length]).toEqual([true, 3]);
  reader.close();
  expect(notes).toHaveLength(1);
});

it.skipIf(!mayMount)(`reads a database of a killed process on a read-only mount${needsMount}`, async () => {
  await fill(2);
  const writer = await open();
  writer.begin(nthReport(5));
  const copy = path.join(folder, "copy");
  fs.cpSync(stateDir, copy, { recursive: true });
  writer.close();
  fs.rmSync(stateDir, { recursive: true });
  fs.renameSync(copy, stateDir);
  mount("--bind", stateDir);
  mount("-o", "remount,bind,ro");
  const reader = await open({ readOnly: true });
  expect(reader.runs().map((run) => run.id)).toEqual([5, 1, 0].map((n) => nthReport(n).id));
  reader.close();
  expect(notes).toEqual([]);
});

it.skipIf(!mayMount)(
  `goes on in memory when the disk is full, and keeps its runs once there is room${needsMount}`,
  async () => {
    fs.mkdirSync(stateDir);
    mount("-t", "tmpfs", "-o", "size=400k", "none");
    await fill(2);
    const history = await open();
    history.begin(nthReport(7, { status: "running" }));
    const ballast = path.join(stateDir, "ballast");
    const handle = fs.openSync(ballast, "w");
    expect(() => {
      for (;;) fs.writeSync(handle, Buffer.alloc(4096));
    }).toThrow("ENOSPC");
    fs.closeSync(handle);
    const wide = { steps: Array.from({ length: 500 }, () => completeReport().steps).flat() };
    history.update(nthReport(7, wide));
    expect(history.persistent).toBe(false);
    expect(notes).toEqual([expect.stringContaining("full")]);
    expect(history.run(nthReport(7).id)).toEqual(nthReport(7, wide));
    expect(history.run(nthReport(1).id)).toBeDefined();
    fs.rmSync(ballast);
    history.update(nthReport(7, { status: "failed" }));
    history.close();
    const again = await open();
    expect(again.persistent).toBe(true);
    expect(again.run(nthReport(7).id)?.status).toBe("failed");
    again.close();
  },
);

it.skipIf(!mayMount)(`opens in memory on a disk that is full from the start${needsMount}`, async () => {
  fs.mkdirSync(stateDir);
  mount("-t", "tmpfs", "-o", "size=64k", "none");
  fs.writeFileSync(path.join(stateDir, "ballast"), Buffer.alloc(60 * 1024));
  const history = await open();
  history.begin(nthReport(1));
  expect([history.persistent, history.runs()]).toEqual([false, [nthReport(1)]]);
  history.close();
  expect(notes).toHaveLength(1);
});
