import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { completeReport, nthReport } from "./fixtures/sample-report.ts";
import { healState, KILLED } from "./heal.ts";
import { openHistory } from "./history.ts";
import type { History, HistoryOptions } from "./history.ts";
import { isAlive } from "./process.ts";

let folder = "";
let stateDir = "";
let file = "";
let notes: string[] = [];

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
  stateDir = path.join(folder, "state");
  file = path.join(stateDir, "history.db");
  notes = [];
});

afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

const open = (options: Partial<HistoryOptions> = {}): Promise<History> =>
  openHistory({ stateDir, onNote: (text) => notes.push(text), ...options });

const ids = (history: History): string[] => history.runs({ limit: 10_000 }).map((run) => run.id);

async function fill(count: number): Promise<void> {
  const history = await open();
  for (let n = 0; n < count; n += 1) history.begin(nthReport(n));
  history.close();
}

/** Runs python3, a reader that shares no code with ours. */
function sqlite(script: string): string {
  const run = spawnSync("python3", ["-c", `import sqlite3,sys\ndb=sqlite3.connect(sys.argv[1])\n${script}`, file], {
    encoding: "utf8",
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return run.stdout.trim();
}

function startWriter(prefix: string, count: number): { done: Promise<string>; kill(): void; output(): string } {
  const child = spawn(
    process.execPath,
    [path.join(import.meta.dirname, "fixtures/history-writer.ts"), stateDir, prefix, String(count)],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return { done: once(child, "close").then(() => output), kill: () => child.kill("SIGKILL"), output: () => output };
}

it("makes folder and file for its owner only, in WAL mode, and leaves one file when closed", async () => {
  const history = await open();
  history.begin(completeReport());
  expect(fs.statSync(stateDir).mode & 0o777).toBe(0o700);
  for (const name of fs.readdirSync(stateDir))
    expect([name, fs.statSync(path.join(stateDir, name)).mode & 0o777]).toEqual([name, 0o600]);
  expect(fs.readdirSync(stateDir)).toContain("history.db-wal");
  history.close();
  expect(fs.readdirSync(stateDir)).toEqual(["history.db"]);
  expect(notes).toEqual([]);
});

it("can be read by any SQLite: runs, steps, deliveries, prunes, warnings", async () => {
  const history = await open();
  history.begin(completeReport());
  history.close();
  expect(sqlite("print(db.execute('select job,status,sha256,files,bytes_read,size_bytes from runs').fetchall())")).toBe(
    `[('site', 'partial', '${"ab".repeat(32)}', 10000, 123456789, 9007199254740000)]`,
  );
  expect(
    sqlite(
      "print([db.execute('select count(*) from '+t).fetchone()[0] for t in ('steps','deliveries','prunes','warnings')])",
    ),
  ).toBe("[2, 2, 1, 2]");
  expect(
    sqlite("print(db.execute('pragma user_version').fetchone(), db.execute('pragma integrity_check').fetchone())"),
  ).toBe("(2,) ('ok',)");
});

it("keeps runs over a restart, and children go with their run", async () => {
  const first = await open({ now: () => Date.UTC(2026, 0, 1) });
  first.begin(completeReport({ id: "old", startedAt: "2020-01-01T00:00:00.000Z" }));
  first.begin(completeReport({ id: "new" }));
  first.close();
  const second = await open({ now: () => Date.UTC(2026, 11, 1) });
  expect(ids(second)).toEqual(["new", "old"]);
  expect(second.prune(90)).toBe(1);
  second.close();
  expect(sqlite("print(db.execute('select distinct run_id from steps').fetchall())")).toBe("[('new',)]");
});

it("heals the runs of dead processes, once", async () => {
  const child = startWriter("w", 100_000);
  await expect.poll(() => child.output().length, { timeout: 20_000 }).toBeGreaterThan(50);
  child.kill();
  await child.done;
  const dead = await open();
  dead.begin(nthReport(1, { status: "running", pid: process.pid }));
  const stillRunning = dead.runs({ status: "running", limit: 10 }).filter((run) => run.pid !== process.pid);
  const healed = healState(dead, isAlive);
  expect(healed.map((run) => run.id)).toEqual(stillRunning.map((run) => run.id));
  for (const run of healed)
    expect(run).toMatchObject({ status: "interrupted", error: expect.stringContaining(KILLED) });
  expect(healState(dead)).toEqual([]);
  expect(dead.run(nthReport(1).id)?.status).toBe("running");
  dead.close();
});

it("loses nothing that was kept when its process is killed in the middle of writes", { timeout: 60_000 }, async () => {
  for (let round = 0; round < 6; round += 1) {
    const child = startWriter(`k${round}`, 100_000);
    await expect.poll(() => child.output().length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(round * 40);
    child.kill();
    const kept = (await child.done).split("\n").slice(0, -1);
    const history = await open();
    expect(history.persistent).toBe(true);
    const there = new Set(ids(history));
    expect(kept.filter((id) => !there.has(id))).toEqual([]);
    for (const id of kept) expect(history.run(id)).toMatchObject({ status: "success", steps: completeReport().steps });
    history.close();
  }
  expect(notes).toEqual([]);
});

it("takes the writes of several processes at once", { timeout: 60_000 }, async () => {
  await fill(1);
  const outputs = await Promise.all(["a", "b", "c"].map((prefix) => startWriter(prefix, 60).done));
  expect(outputs.join("")).not.toContain("note");
  const history = await open();
  expect(ids(history)).toHaveLength(181);
  history.close();
  expect(sqlite("print(db.execute('pragma integrity_check').fetchone())")).toBe("('ok',)");
});

it("begins the database once where several processes are first", { timeout: 60_000 }, async () => {
  const outputs = await Promise.all(["a", "b", "c", "d"].map((prefix) => startWriter(prefix, 3).done));
  expect(outputs.join("")).not.toContain("note");
  const history = await open();
  expect(ids(history)).toHaveLength(12);
  history.close();
});

it("shows a reader what a writer has kept, and changes nothing for it", async () => {
  const writer = await open();
  writer.begin(nthReport(1));
  const reader = await open({ readOnly: true });
  expect(ids(reader)).toEqual([nthReport(1).id]);
  writer.begin(nthReport(2));
  expect(ids(reader)).toEqual([nthReport(2).id, nthReport(1).id]);
  expect(reader.persistent).toBe(true);
  expect(reader.importReports([nthReport(3)])).toBe(1);
  expect(ids(reader)).toEqual([3, 2, 1].map((n) => nthReport(n).id));
  expect(reader.persistent).toBe(false);
  reader.close();
  expect(ids(writer)).toEqual([2, 1].map((n) => nthReport(n).id));
  writer.close();
  expect(notes).toEqual([]);
});

it("makes nothing for a reader where there is no history", async () => {
  const reader = await open({ readOnly: true });
  expect(ids(reader)).toEqual([]);
  expect(reader.importReports([nthReport(3)])).toBe(1);
  expect(ids(reader)).toEqual([nthReport(3).id]);
  reader.close();
  expect(fs.existsSync(stateDir)).toBe(false);
  expect(notes).toEqual([]);
});

it("begins anew where the database is removed while in use, and keeps this process's runs", async () => {
  await fill(2);
  const history = await open();
  history.begin(nthReport(5, { status: "running" }));
  fs.rmSync(stateDir, { recursive: true });
  history.update(nthReport(5));
  expect(history.persistent).toBe(true);
  expect(notes).toEqual([expect.stringContaining("was removed or replaced")]);
  history.close();
  const again = await open();
  expect(again.runs()).toEqual([nthReport(5)]);
  again.close();
});

it("follows a database that another process set aside and began anew", async () => {
  const history = await open();
  history.begin(nthReport(1));
  fs.renameSync(file, `${file}.moved`);
  const other = await open();
  other.begin(nthReport(2));
  history.begin(nthReport(3));
  other.begin(nthReport(4));
  history.close();
  other.close();
  const again = await open();
  expect(ids(again)).toEqual([4, 3, 2, 1].map((n) => nthReport(n).id));
  again.close();
});

it("keeps going where a value does not fit, and says so", async () => {
  const history = await open();
  history.begin(nthReport(1, { startedAt: "not a time" }));
  expect(notes).toEqual([expect.stringContaining("could not be kept")]);
  history.begin(nthReport(2));
  expect(ids(history)).toEqual([nthReport(2).id]);
  expect(history.persistent).toBe(true);
  history.close();
});

it("answers with nothing, and does not throw, after it was closed", async () => {
  const history = await open();
  history.begin(nthReport(1));
  history.close();
  history.close();
  history.update(nthReport(1));
  expect(history.runs()).toEqual([]);
  expect(history.markInterrupted(() => false, "x")).toEqual([]);
});

it("leaves out rows that are no reports", async () => {
  await fill(3);
  sqlite(`db.execute("update runs set status='pwned' where id='${nthReport(0).id}'")
db.execute("update runs set job=x'00ff' where id='${nthReport(1).id}'")
db.commit()`);
  const history = await open();
  expect(ids(history)).toEqual([nthReport(2).id]);
  expect(notes).toEqual([expect.stringContaining("cannot be read")]);
  history.close();
});
