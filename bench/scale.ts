/**
 * What many small files cost: `npm run build && node bench/scale.ts [most files]`, 1,000,000 unless said otherwise.
 *
 * Each tree is backed up by a whole run (walk, gzip, index, record) into a local folder, and by `tar | pigz -5 -p2` into a
 * file, in turns. Needs about 10 GB and 2,500,000 inodes in the temporary folder, and pigz; the folder is removed at the
 * end. `--check` exits 1 when a budget is broken.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const BACKUP = path.join(import.meta.dirname, "../bin/backup");
const FILES_PER_FOLDER = 1_000;
const ROUNDS = 3;

/** Of issue 4. Megabytes of 10^6 bytes. */
const BUDGET = { manyFoldersMb: 200, oneFolderMb: 260, perFileRatio: 1.1, peerRatio: 1 };

interface Cost {
  readonly seconds: number;
  /** User and system time, children included. */
  readonly cpuSeconds: number;
  readonly peakMb: number;
}

interface Row {
  readonly label: string;
  readonly files: number;
  readonly lifeboat: Cost;
  readonly pigz: Cost;
}

/** Files of 100 to 1,100 bytes of text that compresses like a site's. */
function makeTree(root: string, files: number): void {
  const words = Array.from({ length: 4_000 }, (_, at) => (Math.imul(at + 7, 2_654_435_761) >>> 8).toString(36));
  const text = words.join(" ").repeat(2);
  for (let at = 0; at < files; at += 1) {
    const folder = path.join(root, `folder-${String(Math.floor(at / FILES_PER_FOLDER)).padStart(4, "0")}`);
    if (at % FILES_PER_FOLDER === 0) mkdirSync(folder, { recursive: true });
    const mixed = Math.imul(at + 1, 2_246_822_519) >>> 0;
    const begin = mixed % 20_000;
    writeFileSync(
      path.join(folder, `item-${String(at).padStart(7, "0")}.html`),
      text.slice(begin, begin + 100 + (mixed % 1_000)),
    );
  }
}

/** All files of the tree in its first folder; the others go. */
function mergeFolders(root: string): void {
  const [first = "", ...others] = readdirSync(root);
  for (const folder of others) {
    for (const name of readdirSync(path.join(root, folder))) {
      renameSync(path.join(root, folder, name), path.join(root, first, name));
    }
    rmSync(path.join(root, folder), { recursive: true });
  }
}

/** Runs a program to its end. The peak is that of the program itself, not of programs that it starts. */
async function measure(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Cost> {
  const began = performance.now();
  // The shell's `times` tells what the program used, as soon as that has ended.
  const child = spawn("sh", ["-c", '"$@" >&2 & echo $!; wait $! || exit 1; times', "sh", program, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...env, PATH: process.env["PATH"] },
  });
  let said = "";
  let complaints = "";
  child.stdout.on("data", (data: Buffer) => (said += data.toString()));
  child.stderr.on("data", (data: Buffer) => (complaints += data.toString()));
  let code: number | null | undefined;
  child.on("close", (closed) => (code = closed));
  let peakMb = 0;
  while (code === undefined) {
    await sleep(20);
    const pid = Number.parseInt(said, 10);
    if (pid > 0) peakMb = Math.max(peakMb, peakOf(pid));
  }
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${complaints.slice(-2_000)}`);
  return { seconds: (performance.now() - began) / 1_000, cpuSeconds: childrenSeconds(said), peakMb };
}

function peakOf(pid: number): number {
  try {
    return (Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1_024) / 1e6;
  } catch {
    return 0;
  }
}

/** The last line of `times`: `1m2.345s 0m1.000s`. */
function childrenSeconds(said: string): number {
  const parts = [...(said.trim().split("\n").at(-1) ?? "").matchAll(/(\d+)m([\d.]+)s/g)];
  if (parts.length !== 2) throw new Error(`no times in ${said}`);
  return parts.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}

async function backUp(source: string, folder: string): Promise<Cost> {
  const place = path.join(folder, "lifeboat");
  const [archive, state] = [path.join(place, "archive"), path.join(place, "state")];
  mkdirSync(archive, { recursive: true });
  mkdirSync(state);
  const cost = await measure(BACKUP, [], {
    BACKUP_SOURCES: source,
    BACKUP_ARCHIVE: archive,
    STATE_DIR: state,
    LOCK_FILE: path.join(place, "lock"),
    CONFIG_DIR: path.join(place, "none"),
    GZIP_PARALLELISM: "2",
    TZ: "UTC",
  });
  rmSync(place, { recursive: true });
  return cost;
}

async function pack(source: string, folder: string): Promise<Cost> {
  const file = path.join(folder, "pigz.tar.gz");
  const command = 'tar -C / -cf - "$1" | pigz -5 -p2 > "$2"';
  const cost = await measure("sh", ["-c", command, "sh", source.slice(1), file], {});
  rmSync(file);
  return cost;
}

/** The middle one by CPU time of several rounds, and the highest peak of all. */
function middle(costs: readonly Cost[]): Cost {
  const sorted = costs.toSorted((a, b) => a.cpuSeconds - b.cpuSeconds);
  const chosen = sorted[Math.floor(sorted.length / 2)];
  if (chosen === undefined) throw new Error("nothing was measured");
  return { ...chosen, peakMb: Math.max(...costs.map(({ peakMb }) => peakMb)) };
}

async function compare(label: string, files: number, source: string, folder: string): Promise<Row> {
  const rounds = files >= 500_000 ? 1 : ROUNDS;
  const [lifeboat, pigz]: [Cost[], Cost[]] = [[], []];
  // Once to have everything in the page cache for both.
  spawnSync("sh", ["-c", 'tar -C / -cf - "$1" | cat > /dev/null', "sh", source.slice(1)]);
  for (let round = 0; round < rounds; round += 1) {
    lifeboat.push(await backUp(source, folder));
    pigz.push(await pack(source, folder));
  }
  return { label, files, lifeboat: middle(lifeboat), pigz: middle(pigz) };
}

function print(rows: readonly Row[]): boolean {
  const base = rows[0];
  if (base === undefined) return false;
  const perFileUs = ({ files }: Row, cost: Cost): number => (cost.cpuSeconds * 1e6) / files;
  let isGood = true;
  console.log("| tree | wall | CPU a file | against 10,000 | peak | wall, CPU against tar \\| pigz -5 -p2 |");
  console.log("|---|---|---|---|---|---|");
  for (const row of rows) {
    const { label, lifeboat, pigz } = row;
    const growth = perFileUs(row, lifeboat) / perFileUs(base, base.lifeboat);
    const [wall, cpu] = [lifeboat.seconds / pigz.seconds, lifeboat.cpuSeconds / pigz.cpuSeconds];
    const budgetMb = label.includes("one folder") ? BUDGET.oneFolderMb : BUDGET.manyFoldersMb;
    isGood &&= lifeboat.peakMb < budgetMb && growth < BUDGET.perFileRatio && cpu < BUDGET.peerRatio;
    const cells = [
      label,
      `${lifeboat.seconds.toFixed(1)} s`,
      `${perFileUs(row, lifeboat).toFixed(1)} µs`,
      `${growth.toFixed(2)}x`,
      `${lifeboat.peakMb.toFixed(0)} MB`,
      `${wall.toFixed(2)}x, ${cpu.toFixed(2)}x`,
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
  return isGood;
}

async function main(): Promise<void> {
  const [most = "1000000"] = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
  const largest = Number(most);
  if (!Number.isSafeInteger(largest) || largest < 10_000)
    throw new Error("usage: scale.ts [most files, at least 10000]");
  const folder = mkdtempSync(path.join(os.tmpdir(), "lifeboat-scale-"));
  try {
    const rows: Row[] = [];
    const counts = [10_000, 100_000, 1_000_000].filter((files) => files < largest);
    for (const files of [...counts, largest]) {
      const source = path.join(folder, "source");
      rmSync(source, { recursive: true, force: true });
      makeTree(source, files);
      rows.push(await compare(`${files.toLocaleString("en-US")} files, 1,000 a folder`, files, source, folder));
    }
    mergeFolders(path.join(folder, "source"));
    const source = path.join(folder, "source");
    rows.push(await compare(`${largest.toLocaleString("en-US")} files, one folder`, largest, source, folder));
    if (!print(rows) && process.argv.includes("--check")) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
