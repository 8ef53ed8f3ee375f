import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { acquireLock, inspectLock, LockTimeout, removeDeadLock } from "./lock.ts";
import type { LockOptions } from "./lock.ts";
import { processIdentity } from "./process.ts";

let folder = "";
let lockPath = "";
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
  lockPath = path.join(folder, "run", "dockervolumebackup.lock");
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  fs.rmSync(folder, { recursive: true, force: true });
});

const acquire = (options: Partial<LockOptions> = {}) =>
  acquireLock({
    path: lockPath,
    fallbackFolder: path.join(folder, "none"),
    timeoutMs: 0,
    signal: new AbortController().signal,
    job: "site",
    runId: "r0",
    ...options,
  });

async function startHolder(file = lockPath, atEnd = "wait"): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [path.join(import.meta.dirname, "fixtures/lock-holder.ts"), file, path.join(folder, "none"), atEnd],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  children.push(child);
  await once(child.stdout, "data");
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}

const filesBeside = (): string[] => fs.readdirSync(path.dirname(lockPath));

function writeLock(content: string, ageMs = 60_000): void {
  fs.mkdirSync(path.dirname(lockPath), { recursive: true });
  fs.writeFileSync(lockPath, content);
  const time = (Date.now() - ageMs) / 1000;
  fs.utimesSync(lockPath, time, time);
}

it("makes the file when a run starts and removes it when it ends", async () => {
  const lock = await acquire();
  expect(lock.path).toBe(lockPath);
  expect(filesBeside()).toEqual(["dockervolumebackup.lock"]);
  expect(JSON.parse(fs.readFileSync(lockPath, "utf8"))).toMatchObject({
    ...processIdentity(process.pid),
    job: "site",
    runId: "r0",
  });
  expect(inspectLock({ path: lockPath })).toMatchObject({ alive: true, holder: { job: "site" } });
  lock.release();
  lock.release();
  expect(filesBeside()).toEqual([]);
  expect(inspectLock({ path: lockPath, fallbackFolder: folder })).toBeUndefined();
});

it("reaches its folder through a symlink whose target does not exist yet", async () => {
  fs.symlinkSync("var-run/lock", path.join(folder, "run"));
  const lock = await acquire();
  expect(fs.existsSync(path.join(folder, "var-run/lock/dockervolumebackup.lock"))).toBe(true);
  lock.release();
});

it("names the holder when the wait ends", async () => {
  const child = await startHolder();
  const waits: unknown[] = [];
  const error = await acquire({ timeoutMs: 400, onWait: (holder) => waits.push(holder) }).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(LockTimeout);
  expect(String(error)).toContain(`job other, run r1, pid ${child.pid}`);
  expect(error).toMatchObject({ holder: { pid: child.pid, job: "other", runId: "r1" } });
  expect(waits).toHaveLength(1);
});

it("gets the lock once the holder releases it", async () => {
  const child = await startHolder();
  const waiting = acquire({ timeoutMs: 20_000 });
  child.stdin?.write("go\n");
  const lock = await waiting;
  expect(inspectLock({ path: lockPath })?.holder?.pid).toBe(process.pid);
  lock.release();
});

it("stops waiting as soon as the signal aborts", async () => {
  await startHolder();
  const control = new AbortController();
  const waiting = acquire({ timeoutMs: Number.POSITIVE_INFINITY, signal: control.signal });
  control.abort(new Error("told to stop"));
  await expect(waiting).rejects.toThrow("told to stop");
  await expect(acquire({ signal: AbortSignal.abort(new Error("at once")) })).rejects.toThrow("at once");
});

it("takes over the lock of a killed run at once, and says so", async () => {
  const child = await startHolder();
  await end(child, "SIGKILL");
  expect(inspectLock({ path: lockPath })).toMatchObject({ alive: false, holder: { pid: child.pid } });
  const notes: string[] = [];
  const lock = await acquire({ onNote: (text) => notes.push(text) });
  expect(notes).toEqual([expect.stringContaining(`pid ${child.pid}`)]);
  expect(inspectLock({ path: lockPath })).toMatchObject({ alive: true, holder: { pid: process.pid } });
  lock.release();
  expect(filesBeside()).toEqual([]);
});

it("leaves no file where the process exits without releasing", async () => {
  const child = await startHolder(lockPath, "exit");
  if (child.exitCode === null) await once(child, "exit");
  expect(filesBeside()).toEqual([]);
});

it.each([
  ["a reused pid", { startTime: 1 }],
  ["another boot", { bootId: "11111111-2222-3333-4444-555555555555" }],
  ["an earlier life of this container", { namespace: "pid:[1]", host: os.hostname() }],
])("takes over the lock of %s", async (_, change) => {
  const holder = {
    ...processIdentity(process.pid),
    token: "0123456789abcdef",
    host: "h",
    job: "j",
    runId: "r",
    since: "2026-01-01T00:00:00.000Z",
  };
  writeLock(JSON.stringify({ ...holder, ...change }), 0);
  const lock = await acquire();
  expect(inspectLock({ path: lockPath })).toMatchObject({ alive: true, holder: { runId: "r0" } });
  lock.release();
});

it("takes a holder in another container for alive while it touches its file", async () => {
  const holder = {
    ...processIdentity(process.pid),
    namespace: "pid:[1]",
    token: "0123456789abcdef",
    host: "another",
    job: "j",
    runId: "r",
    since: "2026-01-01T00:00:00.000Z",
  };
  writeLock(JSON.stringify(holder), 10_000);
  await expect(acquire()).rejects.toThrow(LockTimeout);
  writeLock(JSON.stringify(holder), 60_000);
  (await acquire()).release();
});

it.each([
  ["empty", ""],
  ["half written", '{"pid":12,"sta'],
  ["zeros", "\u0000".repeat(200)],
  ["a hostile", JSON.stringify({ pid: 1, startTime: {}, token: "../../etc/passwd" })],
])("takes over an old file that names no holder: %s", async (_, content) => {
  writeLock(content);
  const notes: string[] = [];
  const lock = await acquire({ onNote: (text) => notes.push(text) });
  expect(notes).toEqual([]);
  expect(inspectLock({ path: lockPath })?.alive).toBe(true);
  lock.release();
  expect(filesBeside()).toEqual([]);
});

it.each([
  ["somebody's own file", "precious\n"],
  ["another program's lock", "12345\n"],
  ["binary", "\u0000\u00ff".repeat(5000)],
])("neither takes over nor removes a file that is no lock: %s", async (_, content) => {
  writeLock(content);
  const notes: string[] = [];
  (await acquire({ onNote: (text) => notes.push(text) })).release();
  expect(notes.join()).toContain("is no lock file");
  expect(removeDeadLock({ path: lockPath })).toBe(false);
  expect(fs.readFileSync(lockPath, "utf8")).toBe(Buffer.from(content).toString("utf8"));
  expect(filesBeside()).toEqual([path.basename(lockPath)]);
});

it("gives a young file that names no holder a moment", async () => {
  writeLock("", 0);
  await expect(acquire()).rejects.toThrow(LockTimeout);
  const lock = await acquire({ timeoutMs: 20_000 });
  lock.release();
});

it("respects an empty file that another program holds with flock", async () => {
  writeLock("");
  const child = spawn("python3", [
    "-c",
    "import fcntl,sys,time\nf=open(sys.argv[1])\nfcntl.flock(f,2)\nprint('ok',flush=True)\ntime.sleep(60)",
    lockPath,
  ]);
  children.push(child);
  await once(child.stdout, "data");
  await expect(acquire()).rejects.toThrow(/another program/);
  await end(child, "SIGKILL");
  (await acquire()).release();
});

it.each(["a folder", "a symlink", "a dangling symlink", "a fifo-like device"])(
  "uses the fallback folder where %s is in its place, and leaves that alone",
  async (what) => {
    fs.mkdirSync(path.dirname(lockPath), { recursive: true });
    const victim = path.join(folder, "victim");
    if (what !== "a dangling symlink") fs.writeFileSync(victim, "precious");
    if (what === "a folder") fs.mkdirSync(lockPath);
    else fs.symlinkSync(what === "a fifo-like device" ? "/dev/zero" : victim, lockPath);
    const before = fs.lstatSync(lockPath).ino;
    const fallbackFolder = path.join(folder, "shm");
    fs.mkdirSync(fallbackFolder);
    const notes: string[] = [];
    const lock = await acquire({ fallbackFolder, onNote: (text) => notes.push(text) });
    expect(lock.path).toBe(path.join(fallbackFolder, "dockervolumebackup.lock"));
    expect(notes).toHaveLength(1);
    expect(inspectLock({ path: lockPath, fallbackFolder })).toMatchObject({ path: lock.path, alive: true });
    lock.release();
    expect(fs.lstatSync(lockPath).ino).toBe(before);
    expect(fs.existsSync(victim)).toBe(what !== "a dangling symlink");
    expect(fs.readdirSync(fallbackFolder)).toEqual([]);
  },
);

it("goes on without a lock where no place takes it, and says it once", async () => {
  fs.writeFileSync(path.join(folder, "run"), "a file in the folder's place");
  const notes: string[] = [];
  const lock = await acquire({ onNote: (text) => notes.push(text) });
  expect(lock.path).toBeUndefined();
  lock.release();
  expect(notes).toEqual([expect.stringContaining("no lock file can be made")]);
});

it("does not remove a lock that became another's", async () => {
  const lock = await acquire();
  fs.rmSync(lockPath);
  const other = await startHolder();
  lock.release();
  expect(inspectLock({ path: lockPath })?.holder?.pid).toBe(other.pid);
});

it("removes a dead lock when asked, never a live one", async () => {
  expect(removeDeadLock({ path: lockPath, fallbackFolder: folder })).toBe(false);
  const child = await startHolder();
  expect(removeDeadLock({ path: lockPath, fallbackFolder: folder })).toBe(false);
  await end(child, "SIGKILL");
  expect(removeDeadLock({ path: lockPath, fallbackFolder: folder })).toBe(true);
  expect(filesBeside()).toEqual([]);
});

it("cleans up what killed takers left, and nothing else", async () => {
  fs.mkdirSync(path.dirname(lockPath), { recursive: true });
  const old = (Date.now() - 120_000) / 1000;
  const litter = [".dockervolumebackup.lock.0123456789abcdef.tmp", "dockervolumebackup.lock.taking-0123456789abcdef"];
  const others = [".dockervolumebackup.lock.notours.tmp", "other.lock", "dockervolumebackup.lock.bak"];
  for (const name of [...litter, ...others]) {
    fs.writeFileSync(path.join(path.dirname(lockPath), name), "");
    fs.utimesSync(path.join(path.dirname(lockPath), name), old, old);
  }
  (await acquire()).release();
  expect(filesBeside().sort()).toEqual(others.sort());
});

it("never has two holders, whoever is killed when", { timeout: 90_000 }, async () => {
  fs.mkdirSync(path.dirname(lockPath));
  const marker = path.join(folder, "marker");
  const log = path.join(folder, "log");
  fs.writeFileSync(log, "");
  const count = (line: string): number =>
    fs
      .readFileSync(log, "utf8")
      .split("\n")
      .filter((other) => other === line).length;
  const isEnough = (): boolean => count("held taken-over") > 500 && count("held free") > 500;
  const earliest = Date.now() + 5_000;
  const latest = Date.now() + 60_000;
  const runner = async (): Promise<void> => {
    while (Date.now() < latest && (Date.now() < earliest || !isEnough())) {
      const child = spawn(
        process.execPath,
        [path.join(import.meta.dirname, "fixtures/lock-racer.ts"), lockPath, marker, log, String(latest)],
        { stdio: ["ignore", "pipe", "inherit"] },
      );
      children.push(child);
      const exited = once(child, "exit");
      await Promise.race([once(child.stdout, "data"), exited]);
      const kill = setTimeout(() => child.kill("SIGKILL"), 100 + Math.random() * 1500);
      // A stopped process lives: whatever it was about to do comes late.
      const pause = setInterval(() => {
        child.kill("SIGSTOP");
        setTimeout(() => child.kill("SIGCONT"), Math.random() * 10);
      }, 25);
      await exited;
      clearTimeout(kill);
      clearInterval(pause);
    }
  };
  await Promise.all(Array.from({ length: 6 }, runner));
  const lines = fs.readFileSync(log, "utf8").split("\n");
  expect(lines.filter((line) => line !== "" && !line.startsWith("held"))).toEqual([]);
  expect(isEnough()).toBe(true);
});
