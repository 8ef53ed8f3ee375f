import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { processIdentity } from "./process.ts";
import { openRuntime } from "./runtime.ts";
import type { RunProgress, Runtime } from "./runtime.ts";

let folder = "";
let stateDir = "";
let fallbackFolder = "";
let notes: string[] = [];

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
  stateDir = path.join(folder, "state");
  fallbackFolder = path.join(folder, "shm");
  notes = [];
});

afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

const open = (): Runtime => openRuntime({ stateDir, fallbackFolder, onNote: (text) => notes.push(text) });

const progress: RunProgress = {
  job: "site",
  runId: "r1",
  phase: "archive",
  files: 3,
  bytesRead: 2 ** 40,
  bytesWritten: 7,
  expectedBytes: 0,
  startedAtMs: 1_800_000_000_000,
};
const daemon = {
  startedAt: "2026-11-22T21:30:00.000Z",
  jobs: [
    { job: "site", next: ["2026-11-23T02:00:00.000Z"] },
    { job: "never", next: [] },
  ],
};

/** The image's health check, with this test's folders. */
const isHealthy = (): boolean =>
  spawnSync("sh", [
    "-c",
    'find "$1/heartbeat" "$2/heartbeat" -mmin -1 2>/dev/null | grep -q .',
    "sh",
    stateDir,
    fallbackFolder,
  ]).status === 0;

it("touches nothing when opened", () => {
  const runtime = open();
  expect([runtime.readProgress(), runtime.readDaemon(), runtime.heartbeatAgeMs(), isHealthy()]).toEqual([
    undefined,
    undefined,
    undefined,
    false,
  ]);
  runtime.clearProgress();
  runtime.removeHeartbeat();
  expect(fs.readdirSync(folder)).toEqual([]);
});

it("keeps a heartbeat that a shell can judge", () => {
  const runtime = open();
  expect(runtime.touchHeartbeat()).toBe(true);
  const file = path.join(stateDir, "heartbeat");
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  expect(isHealthy()).toBe(true);
  const old = Date.now() / 1000 - 65;
  fs.utimesSync(file, old, old);
  expect(isHealthy()).toBe(false);
  expect(runtime.heartbeatAgeMs()).toBeGreaterThan(60_000);
  expect(runtime.touchHeartbeat()).toBe(true);
  expect(runtime.heartbeatAgeMs()).toBeLessThan(30_000);
  expect(isHealthy()).toBe(true);
  runtime.removeHeartbeat();
  expect(isHealthy()).toBe(false);
});

it("shows another process how far a run is, for its owner only", () => {
  open().writeProgress(progress);
  open().writeDaemon(daemon);
  expect(fs.statSync(path.join(stateDir, "progress.json")).mode & 0o777).toBe(0o600);
  expect(open().readProgress()).toMatchObject({ ...progress, process: processIdentity(process.pid) });
  expect(open().readDaemon()).toMatchObject({ ...daemon, process: { pid: process.pid } });
  expect(fs.readdirSync(stateDir).sort()).toEqual(["daemon.json", "progress.json"]);
  open().clearProgress();
  open().clearDaemon();
  expect(fs.readdirSync(stateDir)).toEqual([]);
});

it("uses the fallback folder where the state folder takes nothing", () => {
  fs.writeFileSync(stateDir, "a file");
  const runtime = open();
  expect([runtime.touchHeartbeat(), runtime.writeProgress(progress), runtime.writeDaemon(daemon)]).toEqual([
    true,
    true,
    true,
  ]);
  expect(fs.statSync(fallbackFolder).mode & 0o777).toBe(0o700);
  expect(isHealthy()).toBe(true);
  expect([open().readProgress()?.job, open().readDaemon()?.jobs.length]).toEqual(["site", 2]);
  expect(notes).toEqual([]);
});

it("says once where no folder takes a file", () => {
  fs.writeFileSync(stateDir, "a file");
  fs.writeFileSync(fallbackFolder, "a file");
  const runtime = open();
  expect([
    runtime.touchHeartbeat(),
    runtime.writeProgress(progress),
    runtime.writeDaemon(daemon),
    runtime.touchHeartbeat(),
  ]).toEqual([false, false, false, false]);
  expect([runtime.readProgress(), runtime.readDaemon(), runtime.heartbeatAgeMs()]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  runtime.clearProgress();
  runtime.removeHeartbeat();
  expect(notes).toHaveLength(1);
});

it.each(["others may write to", "is a symlink"])("does not use a fallback folder that %s", (what) => {
  fs.writeFileSync(stateDir, "a file");
  const elsewhere = path.join(folder, "elsewhere");
  fs.mkdirSync(elsewhere);
  if (what === "is a symlink") fs.symlinkSync(elsewhere, fallbackFolder);
  else {
    fs.mkdirSync(fallbackFolder);
    fs.chmodSync(fallbackFolder, 0o777);
  }
  expect(open().touchHeartbeat()).toBe(false);
  expect(fs.readdirSync(elsewhere)).toEqual([]);
});

it.skipIf(process.geteuid?.() !== 0)("does not use a fallback folder of another user (skipped unless root)", () => {
  fs.writeFileSync(stateDir, "a file");
  fs.mkdirSync(fallbackFolder, { mode: 0o700 });
  fs.chownSync(fallbackFolder, 12_345, 12_345);
  expect(open().touchHeartbeat()).toBe(false);
});

it("follows no symlink", () => {
  fs.mkdirSync(stateDir);
  const victim = path.join(folder, "victim");
  fs.writeFileSync(victim, "precious");
  fs.utimesSync(victim, 1, 1);
  for (const name of ["heartbeat", "progress.json", `.progress.json.${process.pid}.tmp`])
    fs.symlinkSync(victim, path.join(stateDir, name));
  const runtime = open();
  runtime.touchHeartbeat();
  runtime.writeProgress(progress);
  expect([fs.readFileSync(victim, "utf8"), fs.statSync(victim).mtimeMs]).toEqual(["precious", 1000]);
  expect(runtime.readProgress()?.job).toBe("site");
});

it("shows nothing of dead processes, and clears only theirs and its own", async () => {
  const child = spawn("sleep", ["60"]);
  const owner = processIdentity(child.pid ?? 0);
  const file = path.join(stateDir, "progress.json");
  const runtime = open();
  runtime.writeProgress(progress);
  const own = fs.readFileSync(file, "utf8");
  fs.writeFileSync(file, own.replace(JSON.stringify(processIdentity(process.pid)), JSON.stringify(owner)));
  expect(runtime.readProgress()?.process.pid).toBe(child.pid);
  runtime.clearProgress();
  expect(runtime.readProgress()?.process.pid).toBe(child.pid);
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("exit", resolve));
  expect(runtime.readProgress()).toBeUndefined();
  runtime.clearProgress();
  expect(fs.existsSync(file)).toBe(false);
});

it.each(["", "null", "{}", "[1]", '{"process":{"pid":1}}', `{"a":"${"x".repeat(2_000_000)}"}`, "{\u0000"])(
  "takes a file of no sense for none",
  (content) => {
    fs.mkdirSync(stateDir);
    for (const name of ["progress.json", "daemon.json"]) fs.writeFileSync(path.join(stateDir, name), content);
    const runtime = open();
    expect([runtime.readProgress(), runtime.readDaemon()]).toEqual([undefined, undefined]);
    runtime.writeProgress(progress);
    expect(runtime.readProgress()?.job).toBe("site");
  },
);

it("tells the daemon once that a run by hand left something", () => {
  const runtime = open();
  expect(runtime.takeLeftovers()).toBe(false);
  expect(open().announceLeftovers()).toBe(true);
  expect([runtime.takeLeftovers(), runtime.takeLeftovers()]).toEqual([true, false]);
});
