import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeBlock, type DamagedBlock } from "../../src/archive/index/blocks.ts";
import { checkBlocks, entriesIn } from "../../src/archive/index/check-blocks.ts";
import { readEntries } from "../../src/archive/index/entries.ts";
import { comparePaths, plainPath } from "../../src/archive/path-order.ts";
import type { ArchiveIndex, IndexBlock } from "../../src/archive/index/reader.ts";
import { printablePath as printable } from "../../src/lib/printable.ts";
import { MissingContent } from "../../src/archive/read/read-errors.ts";
import { readArchive, type EntryWithBody } from "../../src/archive/read/read.ts";
import { makeIndexed, openBoth, type IndexedArchive } from "./indexed.ts";
import { listWithPython, runQuietly, temporaryFolder } from "./make.ts";

/** Archives read through their index give what they give from front to back. */

const ALL = [Buffer.alloc(0)];
const signal = new AbortController().signal;

let folder: ReturnType<typeof temporaryFolder>;
let tree: string;
let site: string;

beforeAll(() => {
  folder = temporaryFolder();
  tree = path.join(folder.path, "tree");
  runQuietly("python3", [path.join(import.meta.dirname, "odd_tree.py"), tree, "800"]);
  site = path.join(folder.path, "site");
  mkdirSync(path.join(site, "uploads"), { recursive: true });
  writeFileSync(path.join(site, "dump.sql"), "insert into t values (1, 'some text');\n".repeat(200_000));
  writeFileSync(path.join(site, "uploads", "film"), noise(5_300_000));
  writeFileSync(path.join(site, "uploads", "small"), "small\n");
  for (let at = 0; at < 400; at += 1) writeFileSync(path.join(site, `page-${at}`), noise(10_000 + at));
});
afterAll(() => folder[Symbol.dispose]());

const KINDS = [
  ["gz", "tree"],
  ["zst", "tree"],
  ["none", "tree"],
  ["gz", "site"],
  ["zst", "site"],
  ["none", "site"],
] as const;

describe.each(KINDS)("a %s archive of the %s", (compression, which) => {
  let made: IndexedArchive;
  let raw: Buffer;
  beforeAll(async () => {
    made = await makeIndexed([which === "tree" ? tree : site], { compression, hardlinks: "link" });
    raw = made.bytes;
    if (compression === "gz") raw = gunzipSync(made.bytes);
    if (compression === "zst") raw = zstdDecompressSync(made.bytes);
  });

  it("is the same block by block, and each block is a member or frame to other programs", async () => {
    const { index } = await openBoth(made.bytes, made.indexBytes);
    const blocks = await allBlocks(index);
    expect(blocks.length).toBe(made.result.blocks);
    const pieces = blocks.map((block) => decodeBlock(index, block, storedOf(made.bytes, block)));
    expect(Buffer.concat(pieces).equals(raw)).toBe(true);
    const program = { gz: "gzip", zst: "zstd", none: "cat" }[compression];
    for (const block of [blocks[0], blocks[1], blocks.at(-1)]) {
      if (block === undefined) continue;
      const input = storedOf(made.bytes, block);
      const done = spawnSync(program, compression === "none" ? [] : ["-qdc"], { input, maxBuffer: 2 ** 27 });
      expect(done.stdout.equals(pieces[block.number] ?? Buffer.alloc(0))).toBe(true);
    }
    if (compression === "gz") {
      const member = storedOf(made.bytes, blocks[0] as IndexBlock);
      const done = spawnSync(
        "python3",
        ["-c", "import gzip,sys;sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))"],
        { input: member, maxBuffer: 2 ** 27 },
      );
      expect(done.stdout.equals(pieces[0] ?? Buffer.alloc(0))).toBe(true);
    }
  });

  it("gives the same entries through the index, in order", async () => {
    const { index, raw: reader } = await openBoth(made.bytes, made.indexBytes);
    await index.prove(Buffer.alloc(0));
    const streamed = await digests(readArchive(Readable.from([made.bytes]), { archiveName: "a", signal }));
    const indexed = await digests(readEntries(index, reader, ALL, fail));
    expect(indexed).toEqual(streamed);
    expect(indexed.length).toBe(index.facts.entries);
    let last: Buffer | undefined;
    for await (const { path: next } of index.atOrBelow(Buffer.alloc(0))) {
      if (last !== undefined) expect(comparePaths(last, next)).toBeLessThan(0);
      last = next;
    }
  });

  it("gives each entry alone", async () => {
    const streamed = await digests(readArchive(Readable.from([made.bytes]), { archiveName: "a", signal }));
    const { index, raw: reader } = await openBoth(made.bytes, made.indexBytes);
    for (const at of [0, 1, 7, 100, streamed.length - 2, streamed.length - 1]) {
      const line = streamed[at] ?? "";
      const wanted = plainPath(Buffer.from(line.split(" ")[0] ?? "", "hex"));
      expect((await index.find(wanted))?.path.equals(wanted)).toBe(true);
      const [only] = await digests(readEntries(index, reader, [wanted], fail));
      if (!line.includes(" hardlink ")) expect(only).toBe(line);
    }
    expect(await index.find(Buffer.from("nowhere"))).toBeUndefined();
  });

  it("names a damaged block, and gives everything outside of it", async () => {
    const { index: whole } = await openBoth(made.bytes, made.indexBytes);
    const blocks = await allBlocks(whole);
    const streamed = await digests(readArchive(Readable.from([made.bytes]), { archiveName: "a", signal }));
    for (const number of [0, Math.floor(blocks.length / 3), Math.floor(blocks.length / 2), blocks.length - 2]) {
      const block = blocks[number] as IndexBlock;
      for (const at of number === 0 ? [0, block.storedBytes - 1] : [Math.floor(block.storedBytes / 2)]) {
        const bytes = Buffer.from(made.bytes);
        bytes[block.firstStoredByte + at] = (bytes[block.firstStoredByte + at] ?? 0) ^ 0x40;
        const { index, raw: reader } = await openBoth(bytes, made.indexBytes);
        const damaged = new Set<number>();
        const got = await digests(readEntries(index, reader, ALL, (fault) => damaged.add(fault.block.number)));
        expect([...damaged]).toEqual([number]);
        const lost = got.flatMap((line, entry) => (line.endsWith(" lost") ? [entry] : []));
        const { shown, count } = await entriesIn(index, [block], 1e6);
        const inBlock = new Set(shown);
        expect(count).toBe(shown.length);
        expect(lost.length).toBeGreaterThan(0);
        expect(lost.length).toBeLessThanOrEqual(count);
        for (const [entry, line] of got.entries()) {
          const isFile = line.includes(" file ");
          const hit = inBlock.has(nameOf(line));
          expect(lost.includes(entry), line).toBe(isFile && hit);
          if (!hit) expect(line).toBe(streamed[entry]);
        }
        const seen: number[] = [];
        for await (const _ of checkBlocks(index, Readable.from(cut(bytes)), (one) => seen.push(one.number))) continue;
        expect(seen).toEqual([number]);
      }
    }
  });
});

it("can be read by a program that knows only its description", async () => {
  for (const [source, compression] of [
    [tree, "gz"],
    [site, "none"],
  ] as const) {
    const made = await makeIndexed([source], { compression, hardlinks: "link" });
    const [index, archive] = [path.join(folder.path, "index"), path.join(folder.path, "archive")];
    writeFileSync(index, made.indexBytes);
    writeFileSync(archive, made.bytes);
    const script = path.join(import.meta.dirname, "read_index.py");
    const lines = runQuietly("python3", [script, index, archive]).toString().trimEnd().split("\n");
    const listed = listWithPython(compression === "gz" ? gunzipSync(made.bytes) : made.bytes);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
      listed.map(({ name, type, mode, uid, gid, size, link, sha256 }) => {
        return { name, type, mode, uid, gid, size, link, sha256 };
      }),
    );
  }
});

it("reads little for one file out of many, and a large file in a few requests", async () => {
  const made = await makeIndexed([site], { compression: "gz" });
  const { index, raw, counts } = await openBoth(made.bytes, made.indexBytes);
  const prefix = site.slice(1);
  const get = async (name: string): Promise<Buffer> => {
    for await (const { body } of readEntries(index, raw, [Buffer.from(`${prefix}/${name}`)], fail)) return join(body);
    throw new Error("nothing came");
  };
  expect((await get("page-77")).equals(readFileSync(path.join(site, "page-77")))).toBe(true);
  expect(counts.requests).toBe(1);
  expect(counts.bytes).toBeLessThan(4_200_000);
  counts.requests = 0;
  expect((await get("uploads/film")).equals(readFileSync(path.join(site, "uploads/film")))).toBe(true);
  expect(counts.requests).toBeLessThan(5);
});

it("follows a hard link out of what is wanted", async () => {
  using place = temporaryFolder();
  const source = path.join(place.path, "s");
  mkdirSync(path.join(source, "a"), { recursive: true });
  mkdirSync(path.join(source, "b"));
  writeFileSync(path.join(source, "a", "first"), "shared content");
  runQuietly("ln", [path.join(source, "a", "first"), path.join(source, "b", "second")]);
  const made = await makeIndexed([source], { hardlinks: "link" });
  const { index, raw } = await openBoth(made.bytes, made.indexBytes);
  const inB = await digests(readEntries(index, raw, [Buffer.from(`${source.slice(1)}/b`)], fail));
  expect(inB.map((line) => line.split(" ")[1])).toEqual(["directory", "file"]);
  expect(inB[1]).toContain(createHash("sha256").update("shared content").digest("hex"));
  const all = await digests(readEntries(index, raw, ALL, fail));
  expect(all.map((line) => line.split(" ")[1])).toEqual(["directory", "directory", "file", "directory", "hardlink"]);
});

it("of nothing but an empty folder has an index, too", async () => {
  using place = temporaryFolder();
  for (const compression of ["none", "gz", "zst"] as const) {
    const made = await makeIndexed([place.path], { compression });
    const { index, raw } = await openBoth(made.bytes, made.indexBytes);
    await index.prove(Buffer.alloc(0));
    expect(await digests(readEntries(index, raw, ALL, fail))).toHaveLength(1);
  }
});

/** Path in hex, type, metadata and the content's digest, or `lost`. */
async function digests(entries: AsyncIterable<EntryWithBody>): Promise<string[]> {
  const lines: string[] = [];
  for await (const { entry, body } of entries) {
    const { pathBytes, type, mode, uid, gid, mtimeNs, sizeBytes, linkBytes } = entry;
    const facts = [type, mode, uid, gid, mtimeNs, sizeBytes, linkBytes?.toString("hex") ?? "-"].join(" ");
    let content: string;
    try {
      content = createHash("sha256")
        .update(await join(body))
        .digest("hex");
    } catch (thrown) {
      if (!(thrown instanceof MissingContent)) throw thrown;
      content = type === "file" ? "lost" : createHash("sha256").digest("hex");
    }
    lines.push(`${pathBytes.toString("hex")} ${facts} ${content}`);
  }
  return lines;
}

function nameOf(line: string): string {
  const bytes = plainPath(Buffer.from(line.split(" ")[0] ?? "", "hex"));
  return printable(bytes);
}

async function join(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

async function allBlocks(index: ArchiveIndex): Promise<IndexBlock[]> {
  const blocks: IndexBlock[] = [];
  for (let block = await index.block(0); block !== undefined; block = await index.block(block.number + 1))
    blocks.push(block);
  return blocks;
}

function storedOf(bytes: Buffer, { firstStoredByte, storedBytes }: IndexBlock): Buffer {
  return bytes.subarray(firstStoredByte, firstStoredByte + storedBytes);
}

function* cut(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 99_999) yield bytes.subarray(at, at + 99_999);
}

function fail(fault: DamagedBlock): void {
  throw new Error(`damage where there is none: ${fault.message}`);
}

function noise(bytes: number): Buffer {
  return createHash("shake256", { outputLength: bytes }).update(String(bytes)).digest();
}
