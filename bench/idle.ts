/**
 * What an idle daemon costs, against a bare idle Node.js in the same run: `npm run build && node bench/idle.ts`.
 * One job, measured after its first run. `--check` exits 1 when a budget is broken.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const ROOT = path.join(import.meta.dirname, "..");
const LIFEBOAT = path.join(ROOT, "bin/lifeboat");
const NODE = path.join(ROOT, "node_modules/node/bin/node");

const WATCHED_MS = 20_000;
const SETTLE_MS = 6_000;
const STARTS = 15;

interface Cost {
  readonly privateMb: number;
  readonly residentMb: number;
  readonly wakeUpsPerSecond: number;
  readonly cpuMsPerSecond: number;
  readonly threads: number;
}

interface World {
  readonly folder: string;
  readonly archive: string;
  readonly env: NodeJS.ProcessEnv;
}

/** One job that fires once, a few seconds from now, and not again for a year. */
function makeWorld(inSeconds: number): World {
  const folder = mkdtempSync(path.join(os.tmpdir(), "lifeboat-idle-"));
  const make = (name: string): string => {
    mkdirSync(path.join(folder, name));
    return path.join(folder, name);
  };
  const source = make("source");
  for (let at = 0; at < 200; at += 1) writeFileSync(path.join(source, `file-${at}`), "content ".repeat(200));
  const archive = make("archive");
  const due = new Date(Date.now() + inSeconds * 1000);
  const cron = `${due.getUTCSeconds()} ${due.getUTCMinutes()} ${due.getUTCHours()} ${due.getUTCDate()} ${due.getUTCMonth() + 1} *`;
  const settings = { BACKUP_CRON_EXPRESSION: `"${cron}"`, TZ: "UTC", BACKUP_SOURCES: source, BACKUP_ARCHIVE: archive };
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
  const config = make("config");
  writeFileSync(path.join(config, "site.env"), lines.join(""));
  return {
    folder,
    archive,
    env: { PATH: process.env["PATH"], CONFIG_DIR: config, STATE_DIR: make("state"), TZ: "UTC" },
  };
}

async function afterFirstRun(world: World, daemon: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 240; tries += 1) {
    if (daemon.exitCode !== null) throw new Error(`the daemon ended with ${daemon.exitCode}`);
    if (readdirSync(world.archive).some((name) => !name.startsWith("."))) return sleep(SETTLE_MS);
    await sleep(250);
  }
  throw new Error("the first run made no archive within a minute");
}

async function measure(pid: number): Promise<Cost> {
  const before = activity(pid);
  await sleep(WATCHED_MS);
  const after = activity(pid);
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const megabytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(rollup)?.[1]) / 1000;
  const seconds = WATCHED_MS / 1000;
  return {
    privateMb: megabytes("Private_Dirty"),
    residentMb: megabytes("Rss"),
    wakeUpsPerSecond: (after.switches - before.switches) / seconds,
    cpuMsPerSecond: (after.cpuMs - before.cpuMs) / seconds,
    threads: readdirSync(`/proc/${pid}/task`).length,
  };
}

/** Voluntary context switches and CPU time of all threads so far. */
function activity(pid: number): { readonly switches: number; readonly cpuMs: number } {
  let switches = 0;
  let cpuMs = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const folder = `/proc/${pid}/task/${task}`;
    switches += Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`${folder}/status`, "utf8"))?.[1]);
    // Nanoseconds on a processor: the first field of schedstat.
    cpuMs += Number(readFileSync(`${folder}/schedstat`, "utf8").split(" ")[0]) / 1e6;
  }
  return { switches, cpuMs };
}

async function measureDaemon(): Promise<{ readonly cost: Cost; readonly native: readonly string[] }> {
  const world = makeWorld(4);
  const daemon = spawn(LIFEBOAT, ["daemon"], { env: world.env, stdio: ["ignore", "ignore", "inherit"] });
  try {
    await afterFirstRun(world, daemon);
    const pid = daemon.pid ?? 0;
    const cost = await measure(pid);
    const maps = readFileSync(`/proc/${pid}/maps`, "utf8");
    const native = [...new Set([...maps.matchAll(/\S+\/(\S+\.node)$/gm)].map((match) => match[1] ?? ""))];
    return { cost, native };
  } finally {
    await end(daemon);
    rmSync(world.folder, { recursive: true, force: true });
  }
}

async function measureBare(): Promise<Cost> {
  const bare = spawn(NODE, ["-e", "setInterval(() => {}, 1e9)"], { stdio: "ignore" });
  try {
    await sleep(2000);
    return await measure(bare.pid ?? 0);
  } finally {
    await end(bare);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}

/** Which files of the bundle, and which packages outside it, the daemon's own process loads. Its children are not watched. */
async function loadedModules(): Promise<string[]> {
  const world = makeWorld(4);
  const list = path.join(world.folder, "loaded");
  const hook = path.join(world.folder, "hook.mjs");
  writeFileSync(
    hook,
    `import { registerHooks } from "node:module";
     import { appendFileSync } from "node:fs";
     registerHooks({ load(url, context, next) {
       if (url.startsWith("file:")) appendFileSync(${JSON.stringify(list)}, url + "\\n");
       return next(url, context);
     } });`,
  );
  const daemon = spawn(NODE, ["--import", hook, path.join(ROOT, "dist/main.js"), "daemon"], {
    env: world.env,
    stdio: "ignore",
  });
  try {
    await afterFirstRun(world, daemon);
    const urls = new Set(readFileSync(list, "utf8").trim().split("\n"));
    return [...urls]
      .filter((url) => !url.endsWith("hook.mjs"))
      .map((url) => path.relative(ROOT, new URL(url).pathname));
  } finally {
    await end(daemon);
    rmSync(world.folder, { recursive: true, force: true });
  }
}

function medianStartMs(program: string, args: readonly string[]): number {
  const times: number[] = [];
  for (let at = 0; at < STARTS; at += 1) {
    const startedAt = performance.now();
    const { status } = spawnSync(program, args, { stdio: "ignore" });
    if (status !== 0) throw new Error(`${program} ended with ${status ?? "a signal"}`);
    times.push(performance.now() - startedAt);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(STARTS / 2)] ?? Number.NaN;
}

const bare = await measureBare();
const { cost: daemon, native } = await measureDaemon();
const modules = await loadedModules();
const bareStartMs = medianStartMs(NODE, ["-e", "0"]);
const lifeboatStartMs = medianStartMs(LIFEBOAT, ["--version"]);

interface Row {
  readonly what: string;
  readonly bare: number;
  readonly lifeboat: number;
  /** Upper bound of the Lifeboat column, or of the ratio where it says so. */
  readonly budget?: number;
  readonly budgetIsRatio?: true;
}

const rows: readonly Row[] = [
  { what: "private memory, MB", bare: bare.privateMb, lifeboat: daemon.privateMb, budget: 16 },
  { what: "resident memory, MB", bare: bare.residentMb, lifeboat: daemon.residentMb, budget: 70 },
  { what: "wake-ups per second", bare: bare.wakeUpsPerSecond, lifeboat: daemon.wakeUpsPerSecond },
  { what: "CPU ms per second", bare: bare.cpuMsPerSecond, lifeboat: daemon.cpuMsPerSecond },
  { what: "threads", bare: bare.threads, lifeboat: daemon.threads },
  { what: "start-up, ms", bare: bareStartMs, lifeboat: lifeboatStartMs, budget: 3, budgetIsRatio: true },
];

console.log(
  `\n${"".padEnd(22)}${"bare Node.js".padStart(14)}${"Lifeboat".padStart(12)}${"ratio".padStart(8)}${"budget".padStart(10)}`,
);
let broken = false;
for (const row of rows) {
  const ratio = row.lifeboat / row.bare;
  const over = row.budget !== undefined && (row.budgetIsRatio ? ratio : row.lifeboat) > row.budget;
  broken ||= over;
  const budget = row.budget === undefined ? "" : `${row.budget}${row.budgetIsRatio ? "x" : ""}`;
  const columns = [
    row.bare.toFixed(1).padStart(14),
    row.lifeboat.toFixed(1).padStart(12),
    (Number.isFinite(ratio) ? `${ratio.toFixed(2)}x` : "-").padStart(8),
    budget.padStart(10),
  ];
  console.log(`${row.what.padEnd(22)}${columns.join("")}${over ? "  over budget" : ""}`);
}
console.log(`\nnative modules in the daemon: ${native.join(", ") || "none"}`);
console.log(`files that the daemon loaded:\n  ${modules.join("\n  ")}`);
if (process.argv.includes("--check") && broken) process.exitCode = 1;
