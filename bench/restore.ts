/**
 * What restoring many small files costs, against GNU tar, which checks nothing: `node bench/restore.ts [--folder <folder>]
 * [--files 60000] [--rounds 3]`. Needs a build, tar and zstd.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { type Cost, measure, median } from "./measure.ts";
import { makeBenchTrees } from "./site.ts";

const BIN = path.join(import.meta.dirname, "../bin");
const { values } = parseArgs({
  options: {
    folder: { type: "string", default: path.join(os.tmpdir(), "lifeboat-bench-restore") },
    files: { type: "string", default: "60000" },
    rounds: { type: "string", default: "3" },
  },
});
mkdirSync(values.folder, { recursive: true });
const { small } = makeBenchTrees(values.folder, { siteMegabytes: 1, smallFiles: Number(values.files) });
const target = path.join(values.folder, "restored");

async function once(command: string, env: Readonly<Record<string, string>>): Promise<Cost> {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target);
  execFileSync("sync");
  return measure({ command, env: { ...env, TARGET: target } });
}

console.log(`${os.cpus()[0]?.model ?? ""}, ${os.availableParallelism()} cores, Node.js ${process.version}\n`);
console.log("| | restore: wall s | CPU s | peak MB | tar: wall s | CPU s | wall to tar | CPU to tar |");
console.log("|---|---:|---:|---:|---:|---:|---:|---:|");
for (const compression of ["gz", "zst", "none"]) {
  const archives = path.join(values.folder, "archives");
  rmSync(archives, { recursive: true, force: true });
  mkdirSync(archives);
  const env = {
    BIN,
    BACKUP_SOURCES: small,
    BACKUP_ARCHIVE: archives,
    BACKUP_FILENAME: "archive",
    BACKUP_COMPRESSION: compression,
    STATE_DIR: path.join(values.folder, "state"),
    LOCK_FILE: path.join(values.folder, "lock"),
    LOG_LEVEL: "error",
    ARCHIVE: path.join(archives, "archive"),
  };
  await measure({ command: '"$BIN/backup"', env });
  const ours: Cost[] = [];
  const tars: Cost[] = [];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    ours.push(await once('"$BIN/lifeboat" restore latest --to "$TARGET"', env));
    tars.push(await once('tar -C "$TARGET" -xf "$ARCHIVE"', env));
  }
  const [wall, cpu] = [median(ours.map((cost) => cost.wallSeconds)), median(ours.map((cost) => cost.cpuSeconds))];
  const [tarWall, tarCpu] = [median(tars.map((cost) => cost.wallSeconds)), median(tars.map((cost) => cost.cpuSeconds))];
  const cells = [wall, cpu, median(ours.map((cost) => cost.peakMb)), tarWall, tarCpu, wall / tarWall, cpu / tarCpu];
  console.log(`| ${compression} | ${cells.map((cell) => cell.toFixed(2)).join(" | ")} |`);
}
for (const made of ["restored", "archives", "state", "lock"])
  rmSync(path.join(values.folder, made), { recursive: true, force: true });
