import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeIndexed, openBoth, type IndexedArchive } from "../../../test/archive/indexed.ts";
import { runQuietly, temporaryFolder } from "../../../test/archive/make.ts";
import type { Compression } from "../../contracts/archive.ts";
import { entriesIn } from "../index/check-blocks.ts";
import type { IndexBlock } from "../index/reader.ts";
import { MissingContent } from "./read-errors.ts";
import { salvageArchive } from "./salvage.ts";

let folder: ReturnType<typeof temporaryFolder>;
let site: string;
/** Path below the site -> digest of its content. */
const content = new Map<string, string>();

beforeAll(() => {
  folder = temporaryFolder();
  site = path.join(folder.path, "site");
  const add = (name: string, bytes: Buffer | string): void => {
    mkdirSync(path.dirname(path.join(site, name)), { recursive: true });
    writeFileSync(path.join(site, name), bytes);
    content.set(name, createHash("sha256").update(bytes).digest("hex"));
  };
  for (let at = 0; at < 300; at += 1) {
    const odd = at % 3 === 0 ? noise(at, 20_000) : "some text\\n".repeat(at * 20);
    add(`a/${String(at).padStart(3, "0")}${"-long".repeat(at % 40)}`, odd);
  }
  add("b/film", noise(1, 6_000_000));
  for (let at = 0; at < 300; at += 1) add(`c/${at}`, noise(at + 1_000, at % 20 === 0 ? 80_000 : 8_000));
  // An archive in the archive, stored as it is: nothing of it is ours.
  runQuietly("tar", [
    "-cf",
    path.join(folder.path, "inner.tar"),
    "-C",
    folder.path,
    "--transform",
    "s,^,zzz/,",
    "site/c",
  ]);
  runQuietly("sh", [
    "-c",
    `gzip -nc ${folder.path}/inner.tar > ${site}/b/inner.tar.gz; cp ${folder.path}/inner.tar ${site}/c/inner.tar`,
  ]);
  for (const name of ["b/inner.tar.gz", "c/inner.tar"]) add(name, readFileSync(path.join(site, name)));
});
afterAll(() => folder[Symbol.dispose]());

function noise(seed: number, bytes: number): Buffer {
  return createHash("shake256", { outputLength: bytes }).update(String(seed)).digest();
}

/** Digest of each file below the site, or `lost`. */
async function salvaged(bytes: Buffer): Promise<{ files: Map<string, string>; places: number[] }> {
  const files = new Map<string, string>();
  const places: number[] = [];
  const entries = salvageArchive(Readable.from([bytes]), {
    signal: new AbortController().signal,
    known: [Buffer.from(`${site.slice(1)}/`)],
    onDamage: ({ offset }) => places.push(offset),
  });
  for await (const { entry, body } of entries) {
    expect(`/${entry.path}`.startsWith(site)).toBe(true);
    if (entry.type !== "file") continue;
    const hash = createHash("sha256");
    let digest: string;
    try {
      for await (const piece of body) hash.update(piece);
      digest = hash.digest("hex");
    } catch (thrown) {
      if (!(thrown instanceof MissingContent)) throw thrown;
      digest = "lost";
    }
    files.set(`/${entry.path}`.slice(site.length + 1), digest);
  }
  return { files, places };
}

describe.each(["gz", "zst"] satisfies Compression[])("a damaged %s archive without an index", (compression) => {
  let made: IndexedArchive;
  let blocks: IndexBlock[];
  beforeAll(async () => {
    made = await makeIndexed([site], { compression });
    const { index } = await openBoth(made.bytes, made.indexBytes);
    blocks = [];
    for (let block = await index.block(0); block !== undefined; block = await index.block(block.number + 1)) {
      blocks.push(block);
    }
    expect(blocks.length).toBeGreaterThan(6);
  });

  it("gives everything where nothing is damaged", async () => {
    const { files, places } = await salvaged(made.bytes);
    expect(places).toEqual([]);
    for (const [name, digest] of content) expect(files.get(name)).toBe(digest);
  });

  it("gives everything outside of the damaged block", { timeout: 120_000 }, async () => {
    const { index } = await openBoth(made.bytes, made.indexBytes);
    for (const block of blocks.filter(({ number }) => number % 5 === 0 || number > blocks.length - 4).slice(0, -1)) {
      for (const at of [0, 12, Math.floor(block.storedBytes / 2), block.storedBytes - 2]) {
        if (block.number === 0 && at < 8) continue; // What does not begin like an archive of ours is left alone.
        const bytes = Buffer.from(made.bytes);
        bytes[block.firstStoredByte + at] = (bytes[block.firstStoredByte + at] ?? 0) ^ 0x10;
        const { files, places } = await salvaged(bytes);
        const { shown } = await entriesIn(index, [block], 1e6);
        const hit = new Set(shown.map((name) => `/${name}`.slice(site.length + 1)));
        const harmless = places.length === 0;
        for (const [name, digest] of content) {
          const got = files.get(name);
          // A block of gzip members may lose only one of them.
          const may = harmless || !hit.has(name) ? [digest] : [digest, undefined, "lost"];
          expect(may, `${block.number}+${at} ${name}`).toContain(got);
        }
        if (!harmless) expect([...content].some(([name, digest]) => files.get(name) !== digest)).toBe(true);
      }
    }
  });
});

it("finds the next header in a plain archive whose header is damaged", async () => {
  const made = await makeIndexed([site]);
  const { index } = await openBoth(made.bytes, made.indexBytes);
  const name = "c/150";
  const entry = await index.find(Buffer.from(`${site.slice(1)}/${name}`));
  const block = await index.block(entry?.block ?? -1);
  const bytes = Buffer.from(made.bytes);
  const header = (block?.firstStoredByte ?? 0) + (entry?.offset ?? 0) + (entry?.headerBytes ?? 0) - 512;
  bytes[header + 3] = (bytes[header + 3] ?? 0) ^ 1;
  const { files, places } = await salvaged(bytes);
  expect(places).toHaveLength(1);
  for (const [other, digest] of content) expect(files.get(other)).toBe(other === name ? undefined : digest);
});
