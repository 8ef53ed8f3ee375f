/**
 * What an archive costs against the usual pipelines, in one run: `npm run build && node bench/archive.ts [--folder <folder>]
 * [--rounds 3] [--only site|small] [--contestants <expression>] [--megabytes 1500] [--files 200000]`. Contestants take turns; medians are shown. Ours
 * is a whole `backup` process with a local destination: start-up, record, index and the final sync to disk included.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { type Cost, type Program, measure, median } from "./measure.ts";
import { DEFAULT_SIZES, makeBenchTrees } from "./site.ts";

const ROOT = path.join(import.meta.dirname, "..");
const BACKUP = path.join(ROOT, "bin/backup");

/** Files that are no libraries under the libraries' names: the loader takes them first, and fails. */
const BROKEN_LIBRARIES = mkdtempSync(path.join(os.tmpdir(), "lifeboat-broken-"));
for (const name of ["libdeflate.so.0", "libisal.so.2"]) {
  writeFileSync(path.join(BROKEN_LIBRARIES, name), "no library\n");
}

interface Contestant {
  readonly name: string;
  program(source: string, output: string): Program;
}

/** At most so many times what the peer takes. */
interface Goal {
  readonly contestant: string;
  readonly peer: string;
  readonly wall?: number;
  readonly cpu?: number;
  readonly size?: number;
}

const peer = (name: string, filter: string, after = ""): Contestant => ({
  name,
  program: (source, output) => ({
    command: `set -o pipefail; tar -C "$PARENT" -cf - "$NAME" | ${filter} > "$OUTPUT/archive"${after}`,
    env: { PARENT: path.dirname(source), NAME: path.basename(source), OUTPUT: output },
  }),
});

const ours = (name: string, settings: Readonly<Record<string, string>>): Contestant => ({
  name,
  program: (source, output) => ({
    command: `"$BACKUP"`,
    env: {
      BACKUP,
      BACKUP_SOURCES: source,
      BACKUP_ARCHIVE: output,
      BACKUP_FILENAME: "archive",
      STATE_DIR: path.join(output, ".state"),
      LOCK_FILE: path.join(output, ".lock"),
      LOG_LEVEL: "error",
      ...settings,
    },
  }),
});

const PIGZ = "tar | pigz -5 -p2";
const ZSTD = "tar | zstd -3 -T2";
const CAT = "tar | cat";
const SYNCED_CAT = "tar | cat, and sync";

const CONTESTANTS: readonly Contestant[] = [
  peer(PIGZ, "pigz -5 -p2"),
  peer("tar | igzip -2 -T2", "igzip -2 -T2"),
  peer(ZSTD, "zstd -q -3 -T2"),
  peer(CAT, "cat"),
  peer(SYNCED_CAT, "cat", ' && sync "$OUTPUT/archive"'),
  ours("gz", { BACKUP_COMPRESSION: "gz" }),
  ours("gz fast", { BACKUP_COMPRESSION: "gz", BACKUP_COMPRESSION_LEVEL: "fast" }),
  ours("gz best", { BACKUP_COMPRESSION: "gz", BACKUP_COMPRESSION_LEVEL: "best" }),
  ours("gz, Node's zlib", { BACKUP_COMPRESSION: "gz", LD_LIBRARY_PATH: BROKEN_LIBRARIES }),
  ours("zst", { BACKUP_COMPRESSION: "zst" }),
  ours("none", { BACKUP_COMPRESSION: "none" }),
];

const GOALS: Readonly<Record<string, readonly Goal[]>> = {
  site: [
    { contestant: "gz", peer: PIGZ, wall: 0.42, cpu: 0.33, size: 1.01 },
    { contestant: "gz fast", peer: PIGZ, wall: 0.27, cpu: 0.2, size: 1.05 },
    { contestant: "gz, Node's zlib", peer: PIGZ, wall: 0.75 },
    { contestant: "zst", peer: ZSTD, wall: 1, size: 1.01 },
    { contestant: "none", peer: CAT, wall: 1.2 },
    { contestant: "none", peer: SYNCED_CAT },
  ],
  small: [{ contestant: "gz", peer: PIGZ, wall: 1 }],
};

async function compare(title: string, source: string, folder: string, rounds: number, only: RegExp): Promise<void> {
  const contestants = CONTESTANTS.filter(({ name }) => only.test(name));
  const costs = new Map<string, (Cost & { sizeMb: number })[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    // Nobody always comes behind the same one.
    const first = round % contestants.length;
    for (const { name, program } of [...contestants.slice(first), ...contestants.slice(0, first)]) {
      const output = path.join(folder, "output");
      rmSync(output, { recursive: true, force: true });
      mkdirSync(output);
      // What others left to be written is not to be written now.
      execFileSync("sync");
      const cost = await measure(program(source, output));
      costs.get(name)?.push({ ...cost, sizeMb: statSync(path.join(output, "archive")).size / 1e6 });
      rmSync(output, { recursive: true, force: true });
    }
  }
  const medians = new Map([...costs].map(([name, all]) => [name, medianCost(all)]));
  console.log(`\n${title}: ${source}, ${rounds} rounds, medians\n`);
  console.log("| | wall s | CPU s | peak MB | size MB |\n|---|---:|---:|---:|---:|");
  for (const [name, { wallSeconds, cpuSeconds, peakMb, sizeMb }] of medians) {
    console.log(
      `| ${name} | ${wallSeconds.toFixed(2)} | ${cpuSeconds.toFixed(2)} | ${peakMb.toFixed(0)} | ${sizeMb.toFixed(1)} |`,
    );
  }
  console.log("\n| ratio | wall | CPU | size |\n|---|---:|---:|---:|");
  for (const { contestant, peer: peerName, ...goal } of GOALS[title] ?? []) {
    const own = medians.get(contestant);
    const other = medians.get(peerName);
    if (own === undefined || other === undefined) continue;
    const cell = (ratio: number, wanted: number | undefined): string =>
      wanted === undefined
        ? ratio.toFixed(3)
        : `${ratio.toFixed(3)} (goal ${wanted}${ratio > wanted ? ", missed" : ""})`;
    const cells = [
      cell(own.wallSeconds / other.wallSeconds, goal.wall),
      cell(own.cpuSeconds / other.cpuSeconds, goal.cpu),
      cell(own.sizeMb / other.sizeMb, goal.size),
    ];
    console.log(`| ${contestant} to ${peerName.replace("|", "\\|")} | ${cells.join(" | ")} |`);
  }
}

function medianCost(all: readonly (Cost & { sizeMb: number })[]): Cost & { sizeMb: number } {
  return {
    wallSeconds: median(all.map(({ wallSeconds }) => wallSeconds)),
    cpuSeconds: median(all.map(({ cpuSeconds }) => cpuSeconds)),
    peakMb: median(all.map(({ peakMb }) => peakMb)),
    sizeMb: median(all.map(({ sizeMb }) => sizeMb)),
  };
}

const { values } = parseArgs({
  options: {
    folder: { type: "string", default: path.join(os.tmpdir(), "lifeboat-bench") },
    rounds: { type: "string", default: "3" },
    only: { type: "string", default: "" },
    contestants: { type: "string", default: "" },
    megabytes: { type: "string", default: String(DEFAULT_SIZES.siteMegabytes) },
    files: { type: "string", default: String(DEFAULT_SIZES.smallFiles) },
  },
});
mkdirSync(values.folder, { recursive: true });
const trees = makeBenchTrees(values.folder, {
  siteMegabytes: Number(values.megabytes),
  smallFiles: Number(values.files),
});
console.log(`${os.cpus()[0]?.model ?? ""}, ${os.availableParallelism()} cores, Node.js ${process.version}`);
for (const [title, source] of Object.entries(trees)) {
  if (values.only !== "" && values.only !== title) continue;
  // Everybody reads from the page cache.
  for (const name of readdirSync(source, { recursive: true, encoding: "utf8" })) statSync(path.join(source, name));
  await compare(title, source, values.folder, Number(values.rounds), new RegExp(values.contestants));
}
rmSync(BROKEN_LIBRARIES, { recursive: true });
