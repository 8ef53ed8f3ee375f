/**
 * Makes what the benchmarks archive, the same bytes every time: `node bench/site.ts <folder> [--megabytes 1500] [--files 200000]`.
 * `<folder>/site` is a host's share of WordPress sites: code, uploads that are compressed already, SQL dumps, logs.
 * `<folder>/small` is a cache of many small files. What is there already is kept.
 */
import { createCipheriv } from "node:crypto";
import { existsSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { createRandom } from "./random.ts";
import { createCode, createRows, createWords } from "./site-text.ts";

/** What one site of a bench tree holds, in parts of its size: as on hosts that were looked at, a good third is media. */
const SHARES = { code: 0.44, uploads: 0.35, dumps: 0.18, logs: 0.03 } as const;
const SITE_BYTES = 120_000_000;
const FILES_A_PLUGIN = 180;
/** 2026-01-01: times are part of what must not differ between two generations. */
const EPOCH_SECONDS = 1_767_225_600;

export interface BenchTrees {
  readonly site: string;
  readonly small: string;
}

export interface BenchSizes {
  readonly siteMegabytes: number;
  readonly smallFiles: number;
}

export const DEFAULT_SIZES: BenchSizes = { siteMegabytes: 1500, smallFiles: 200_000 };

/** Makes both trees, or those of them that are missing or were made in other sizes. */
export function makeBenchTrees(folder: string, sizes: BenchSizes = DEFAULT_SIZES): BenchTrees {
  const site = path.join(folder, `site-${sizes.siteMegabytes}-mb`);
  const small = path.join(folder, `small-${sizes.smallFiles}-files`);
  once(site, () => makeSites(site, sizes.siteMegabytes * 1_000_000));
  once(small, () => makeSmallFiles(small, sizes.smallFiles));
  return { site, small };
}

function once(tree: string, make: () => void): void {
  const done = `${tree}.done`;
  if (existsSync(done)) return;
  if (existsSync(tree)) throw new Error(`${tree} is there but not complete: remove it`);
  make();
  writeFileSync(done, "");
}

function makeSites(folder: string, totalBytes: number): void {
  const sites = Math.max(1, Math.round(totalBytes / SITE_BYTES));
  for (let at = 0; at < sites; at += 1) {
    makeSite(path.join(folder, `site-${String(at).padStart(2, "0")}.example`), at + 1, totalBytes / sites);
  }
}

function makeSite(folder: string, seed: number, totalBytes: number): void {
  const random = createRandom(seed);
  const write = createWriter(random);
  const code = createCode(random);
  const words = createWords(random);

  for (let bytes = 0, file = 0; bytes < totalBytes * SHARES.code; file += 1) {
    if (file % FILES_A_PLUGIN === 0) code.moveOn();
    const plugin = `html/wp-content/plugins/plugin-${Math.floor(file / FILES_A_PLUGIN)}`;
    const name = `${["includes", "assets", "admin", "vendor/lib", "languages"][file % 5]}/class-${words.word()}-${file}`;
    const kind = random() < 0.7 ? "php" : random() < 0.6 ? "js" : "css";
    const content = code.file(kind, fileBytes(random, 6_000));
    write(path.join(folder, plugin, `${name}.${kind}`), content, false);
    bytes += content.length;
  }
  for (let bytes = 0, file = 0; bytes < totalBytes * SHARES.uploads; file += 1) {
    const name = `html/wp-content/uploads/2025/${String((file % 12) + 1).padStart(2, "0")}/image-${file}`;
    const kind = random() < 0.9 ? "jpg" : "zip";
    const size = fileBytes(random, kind === "jpg" ? 90_000 : 800_000);
    write(path.join(folder, `${name}.${kind}`), noise(seed * 100_000 + file, size), true);
    bytes += size;
  }
  const rows = createRows(random, words);
  for (let dump = 0; dump < 3; dump += 1) {
    write(path.join(folder, `dumps/db-${dump}.sql`), rows.sql((totalBytes * SHARES.dumps) / 3), true);
  }
  write(path.join(folder, "logs/access.log"), rows.log(totalBytes * SHARES.logs), true);
}

function makeSmallFiles(folder: string, count: number): void {
  const random = createRandom(77);
  const write = createWriter(random);
  const code = createCode(random);
  for (let at = 0; at < count; at += 1) {
    if (at % 500 === 0) code.moveOn();
    const name = `cache/${String(Math.floor(at / 500)).padStart(4, "0")}/entry-${String(at).padStart(7, "0")}.json`;
    write(path.join(folder, name), code.file("js", 100 + Math.floor(random() ** 3 * 3_000)), true);
  }
}

/** Writes a file with a time of its own: code as unpacked from a zip, in whole seconds; what the site wrote with fractions. */
function createWriter(random: () => number): (file: string, content: Uint8Array, fraction: boolean) => void {
  const made = new Set<string>();
  return (file, content, fraction) => {
    const folder = path.dirname(file);
    if (!made.has(folder)) mkdirSync(folder, { recursive: true });
    made.add(folder);
    writeFileSync(file, content);
    const seconds = EPOCH_SECONDS + random() * 10_000_000;
    const time = fraction ? seconds : Math.floor(seconds);
    utimesSync(file, time, time);
  };
}

/** Sizes as files have them: many small ones, a few that are ten times the median. */
function fileBytes(random: () => number, medianBytes: number): number {
  const normal = random() + random() + random() + random() - 2;
  return Math.max(64, Math.round(medianBytes * Math.exp(normal * 2)));
}

/** Bytes that no compressor makes smaller, as in images and archives. */
function noise(seed: number, bytes: number): Buffer {
  const key = Buffer.alloc(32);
  key.writeUInt32LE(seed);
  return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { megabytes: { type: "string" }, files: { type: "string" } },
  });
  const [folder] = positionals;
  if (folder === undefined) throw new Error("usage: site.ts <folder> [--megabytes 1500] [--files 200000]");
  const trees = makeBenchTrees(path.resolve(folder), {
    siteMegabytes: Number(values.megabytes ?? DEFAULT_SIZES.siteMegabytes),
    smallFiles: Number(values.files ?? DEFAULT_SIZES.smallFiles),
  });
  console.log(`${trees.site}\n${trees.small}`);
}
