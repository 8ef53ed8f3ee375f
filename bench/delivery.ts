/**
 * What a delivery costs against the quickest common client of each kind, in one run:
 * `npm run build && node bench/delivery.ts [--megabytes 2000] [--rounds 3] [--kinds s3,ssh,webdav,azure,dropbox]
 * [--latency 20] [--folder <folder>]`.
 * "Run": a whole `lifeboat run` without compression, which makes the archive, with its checksums, while it is sent. "File": the
 * delivery alone, of a finished archive, as the peers do it. Contestants take turns; medians are shown. `TMPDIR=/dev/shm` keeps
 * the stores' disk out of it. Needs the programs of `scripts/test-servers.sh`, and root.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { RUN_FLAGS } from "../src/daemon/run-flags.ts";
import { startFaultProxy } from "../test/faults/proxy.ts";
import { type Bench, type Store, STORES } from "./delivery-stores.ts";
import { type Cost, measure, median } from "./measure.ts";

const ROOT = path.join(import.meta.dirname, "..");
const LIFEBOAT = path.join(ROOT, "bin/lifeboat");
const LOOK_EVERY_MS = 50;

interface Scratch extends Cost {
  readonly scratchMb: number;
}

const { values } = parseArgs({
  options: {
    megabytes: { type: "string", default: "2000" },
    rounds: { type: "string", default: "3" },
    kinds: { type: "string", default: Object.keys(STORES).join(",") },
    latency: { type: "string", default: "20" },
    folder: { type: "string", default: os.tmpdir() },
  },
});

const folder = mkdtempSync(path.join(values.folder, "lifeboat-delivery-"));
const bench: Bench = {
  folder,
  source: path.join(folder, "site"),
  file: path.join(folder, "site.tar"),
};
const FILE_ENV = {
  NODE: process.execPath,
  PROGRAM: path.join(import.meta.dirname, "deliver-file.ts"),
  FILE: bench.file,
  BACKUP_ARCHIVE: "",
  STATE_DIR: path.join(folder, "state"),
  HOME: folder,
};
const sizeBytes = Number(values.megabytes) * 1_000_000;
makeSource();
console.log(`${os.cpus()[0]?.model ?? ""}, ${os.availableParallelism()} cores, Node.js ${process.version}`);
console.log(`${values.megabytes} MB that don't compress, BACKUP_STAGING=memory, ${values.rounds} rounds, medians\n`);
console.log("| | way | wall s | CPU s | peak MB | scratch MB | wall ratio |\n|---|---|---:|---:|---:|---:|---:|");
try {
  for (const kind of values.kinds.split(",")) {
    const start = STORES[kind];
    if (start === undefined) throw new Error(`there is no kind ${kind}`);
    await compare(kind, await start(bench));
  }
  if (values.kinds.split(",").length >= 3) await threeAtOnce();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function compare(kind: string, store: Store): Promise<void> {
  try {
    await compareOver(kind, store, "loopback", store.port);
    const latencyMs = Number(values.latency);
    if (latencyMs === 0) return;
    const fault = { kind: "latency", eachWayMs: latencyMs / 2 } as const;
    const proxy = await startFaultProxy({ port: store.port, fault });
    try {
      await compareOver(kind, store, `${latencyMs} ms`, proxy.port);
    } finally {
      await proxy.close();
    }
  } finally {
    await store.stop();
  }
}

async function compareOver(kind: string, store: Store, way: string, port: number): Promise<void> {
  const ours: Scratch[] = [];
  const alone: Cost[] = [];
  const peers: Cost[] = [];
  const { peer } = store;
  for (let round = 0; round < Number(values.rounds); round += 1) {
    ours.push(await measureOurs(store.settings(port), "memory"));
    await store.clear();
    alone.push(
      await measure({
        command: `"$NODE" ${RUN_FLAGS.join(" ")} "$PROGRAM" "$FILE"`,
        env: { ...FILE_ENV, ...store.settings(port) },
      }),
    );
    await store.clear();
    if (peer === undefined) continue;
    peers.push(await measure({ command: peer.command, env: { HOME: folder, FILE: bench.file, ...peer.env(port) } }));
    await store.clear();
  }
  const other = peers.length === 0 ? undefined : middle(peers);
  const ratio = ({ wallSeconds }: Cost): string =>
    other === undefined ? "" : (wallSeconds / other.wallSeconds).toFixed(2);
  show(`${kind}, run`, way, middle(ours), ratio(middle(ours)), scratchOf(ours));
  show(`${kind}, file`, way, middle(alone), ratio(middle(alone)), "");
  if (other !== undefined && peer !== undefined) show(peer.name, way, other, "1", "");
}

/** Disk staging to three remotes at once. */
async function threeAtOnce(): Promise<void> {
  const kinds = values.kinds.split(",").slice(0, 3);
  const stores: Store[] = [];
  try {
    for (const kind of kinds) {
      const start = STORES[kind];
      if (start !== undefined) stores.push(await start(bench));
    }
    for (const staging of ["disk", "memory"]) {
      const settings = Object.assign({}, ...stores.map((store) => store.settings(store.port))) as Record<
        string,
        string
      >;
      const costs = [await measureOurs(settings, staging)];
      show(`${kinds.join(" + ")} (${staging})`, "loopback", middle(costs), "", scratchOf(costs));
      for (const store of stores) await store.clear();
    }
  } finally {
    for (const store of stores) await store.stop();
  }
}

async function measureOurs(settings: Readonly<Record<string, string>>, staging: string): Promise<Scratch> {
  const scratch = path.join(folder, "scratch");
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch);
  let scratchBytes = 0;
  const looking = setInterval(() => (scratchBytes = Math.max(scratchBytes, bytesBelow(scratch))), LOOK_EVERY_MS);
  try {
    const cost = await measure({
      command: `"${LIFEBOAT}" run`,
      env: {
        CONFIG_DIR: "",
        BACKUP_SOURCES: bench.source,
        BACKUP_ARCHIVE: "",
        BACKUP_FILENAME: "ours.tar",
        BACKUP_COMPRESSION: "none",
        BACKUP_STAGING: staging,
        STATE_DIR: path.join(scratch, "state"),
        LOCK_FILE: path.join(scratch, "lock"),
        TMPDIR: scratch,
        LOG_LEVEL: "warn",
        ...settings,
      },
    });
    return { ...cost, scratchMb: scratchBytes / 1e6 };
  } finally {
    clearInterval(looking);
  }
}

function show(name: string, way: string, cost: Cost, ratio: string, scratch: string): void {
  const cells = [
    name,
    way,
    cost.wallSeconds.toFixed(2),
    cost.cpuSeconds.toFixed(2),
    cost.peakMb.toFixed(0),
    scratch,
    ratio,
  ];
  console.log(`| ${cells.join(" | ")} |`);
}

function middle(costs: readonly Cost[]): Cost {
  return {
    wallSeconds: median(costs.map(({ wallSeconds }) => wallSeconds)),
    cpuSeconds: median(costs.map(({ cpuSeconds }) => cpuSeconds)),
    peakMb: median(costs.map(({ peakMb }) => peakMb)),
  };
}

function scratchOf(costs: readonly Scratch[]): string {
  return Math.max(...costs.map(({ scratchMb }) => scratchMb)).toFixed(2);
}

function bytesBelow(place: string): number {
  let total = 0;
  for (const name of readdirSync(place, { recursive: true, encoding: "utf8" })) {
    try {
      // What is really taken: a database's shared memory is mostly holes.
      total += statSync(path.join(place, name)).blocks * 512;
    } catch {
      // It went meanwhile.
    }
  }
  return total;
}

function makeSource(): void {
  mkdirSync(bench.source);
  const piece = Buffer.allocUnsafe(50_000_000);
  let state = 1;
  for (let at = 0; at < piece.length; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    piece.writeUInt32LE(state, at);
  }
  for (let at = 0; at * piece.length < sizeBytes; at += 1)
    writeFileSync(path.join(bench.source, `part-${at}.bin`), piece.subarray(0, sizeBytes - at * piece.length));
  spawnSync("tar", ["-C", folder, "-cf", bench.file, "site"]);
}
