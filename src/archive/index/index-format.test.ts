import { describe, expect, it } from "vitest";
import { hash } from "node:crypto";
import { crc32, zstdCompressSync, zstdDecompressSync as unpacked } from "node:zlib";
import { collect, countingReader } from "../../../test/archive/indexed.ts";
import { createEntryLog } from "../write/entry-log.ts";
import { prepareHeader, type TarType } from "../write/headers.ts";
import { IndexFault, MAGIC, TRAILER, TRAILER_BYTES } from "./format.ts";
import { comparePaths, isAtOrBelow, plainPath } from "../path-order.ts";
import { openIndex } from "./reader.ts";
import { createIndexWriter } from "./writer.ts";

const BLOCK_ENTRIES = 100;

/** The index of an archive that has these entries (byte strings), each of 1,024 bytes, in this order. */
async function indexOf(paths: readonly string[], type: TarType = "file"): Promise<Buffer> {
  const writer = createIndexWriter(2 ** 30);
  const digests: Buffer[] = [];
  const log = createEntryLog();
  let stored = 0;
  let raw = 0;
  const send = (rawBytes: number): void => {
    const sha256 = hash("sha256", String(digests.length), "buffer");
    digests.push(sha256);
    writer.add({ rawBytes, storedBytes: 500, sha256, entries: log.take() });
    stored += 500;
    raw = 0;
  };
  for (const [at, path] of paths.entries()) {
    const sizeBytes = type === "file" ? at % 512 : 0;
    const header = prepareHeader({
      type,
      path,
      mode: 0o644,
      uid: at,
      gid: 2 ** 32 - 1,
      sizeBytes,
      mtimeSeconds: 1_700_000_000,
      mtimeNanoseconds: at,
      linkPath: "",
      deviceMajor: 0,
      deviceMinor: 0,
    });
    const place = { entryBlock: digests.length, entryOffset: raw };
    log.add(
      header,
      {
        ctimeSeconds: at === 0 ? 0 : -1,
        ctimeNanoseconds: at === 0 ? 0 : 1_000_000_000 - at,
        inodeLow: 0,
        inodeHigh: at << 8,
        device: 2 ** 32 - 1,
      },
      place,
    );
    raw += header.bytes + Math.ceil(sizeBytes / 512) * 512;
    if (at % BLOCK_ENTRIES === BLOCK_ENTRIES - 1) send(raw);
  }
  if (raw > 0) send(raw);
  send(1024);
  const source = writer.finish({
    archive: { name: "a.tar", sizeBytes: stored, sha256: "0".repeat(64) },
    blocksSha256: hash("sha256", Buffer.concat(digests), "hex"),
    cutRule: {},
    compression: "none",
    compressor: "none",
    level: "default",
    lifeboat: "0.1.0",
  });
  const bytes = await collect(source);
  expect(bytes.length).toBe(source.sizeBytes);
  expect(hash("sha256", bytes)).toBe((await source.finished).sha256);
  return bytes;
}

async function pathsIn(bytes: Buffer, below = ""): Promise<string[]> {
  const index = await openIndex(countingReader(bytes).read, bytes.length);
  await index.prove(Buffer.alloc(0));
  const paths: string[] = [];
  for await (const { path } of index.atOrBelow(Buffer.from(below, "latin1"))) paths.push(path.toString("latin1"));
  return paths;
}

function sorted(paths: readonly string[]): string[] {
  return paths
    .map((path) => plainPath(Buffer.from(path, "latin1")))
    .toSorted(comparePaths)
    .map((path) => path.toString("latin1"));
}

const many = Array.from({ length: 9_000 }, (_, at) => `site/d${Math.floor(at / 70)}/file ${(at * 7_919) % 9_000}`);
const odd = [
  "./",
  "a/",
  "a/b",
  "a-b",
  "a/\xff\n",
  "a b",
  "\u0001",
  "a/b/../c",
  "!",
  "x".repeat(600),
  `${"x".repeat(600)}/y`,
];

describe("an index", () => {
  it("orders paths component by component, as bytes", () => {
    expect(sorted(["a-b", "a/b", "a", "a.b/", "a/b-c", "a/b/c", "\xff", "./", "A"])).toEqual(
      ["", "A", "a", "a/b", "a/b/c", "a/b-c", "a-b", "a.b", "\xff"], // `/` before every other byte
    );
    expect(isAtOrBelow(Buffer.from("a/b"), Buffer.from("a"))).toBe(true);
    expect(isAtOrBelow(Buffer.from("ab"), Buffer.from("a"))).toBe(false);
    expect(isAtOrBelow(Buffer.from("a"), Buffer.from("a/b"))).toBe(false);
  });

  it("is sorted, whatever the order in which entries come", async () => {
    const orders: string[][] = [
      [],
      odd,
      sorted(many),
      many,
      sorted(many).toReversed(),
      [...sorted(many).slice(4_000), ...sorted(many).slice(0, 4_000)],
      [...odd, ...many],
    ];
    for (const paths of orders) expect(await pathsIn(await indexOf(paths))).toEqual(sorted(paths));
  });

  it("finds single entries and what is below a folder, with all that was known of them", async () => {
    const bytes = await indexOf([...odd, ...many]);
    const { read, counts } = countingReader(bytes);
    const index = await openIndex(read, bytes.length);
    const known = await index.find(Buffer.from(many[5_000] ?? ""));
    const at = odd.length + 5_000;
    expect(known).toMatchObject({
      type: "file",
      mode: 0o644,
      uid: at,
      gid: 2 ** 32 - 1,
      sizeBytes: at % 512,
      mtimeNs: 1_700_000_000_000_000_000n + BigInt(at),
      ctimeNs: -BigInt(at),
      inode: BigInt(at) << 40n,
      device: 2n ** 32n - 1n,
      block: Math.floor(at / BLOCK_ENTRIES),
      headerBytes: 1024 + 512,
    });
    expect(counts.requests).toBeLessThanOrEqual(4);
    for (const path of odd) {
      const plain = plainPath(Buffer.from(path, "latin1"));
      expect((await index.find(plain))?.path.equals(plain)).toBe(true);
      const below = sorted([...odd, ...many]).filter((one) => isAtOrBelow(Buffer.from(one, "latin1"), plain));
      expect(await pathsIn(bytes, plain.toString("latin1"))).toEqual(below);
    }
    expect((await pathsIn(bytes, "site/d7")).length).toBe(71 - 1);
    expect(await index.find(Buffer.from("site/d7/nothing"))).toBeUndefined();
    expect(await pathsIn(bytes, "zzz")).toEqual([]);
  });

  it("of paths that begin alike for longer than the directory's keys finds each", async () => {
    const deep = "deep/".repeat(200);
    const paths = Array.from({ length: 3_000 }, (_, at) => `${deep}${String(at).padStart(5, "0")}`);
    const bytes = await indexOf(paths);
    const index = await openIndex(countingReader(bytes).read, bytes.length);
    for (const at of [0, 1, 199, 1_000, 2_999]) {
      expect((await index.find(Buffer.from(paths[at] ?? "")))?.uid).toBe(at);
    }
  });

  it("is given up where it would take too much memory, and never throws while the archive is written", () => {
    const writer = createIndexWriter(1_000);
    const block = { rawBytes: 512, storedBytes: 512, sha256: new Uint8Array(32), entries: new Uint8Array(0) };
    for (let at = 0; at < 5_000; at += 1) writer.add({ ...block, sha256: hash("sha256", String(at), "buffer") });
    writer.add({ ...block, entries: new Uint8Array(40) });
    const archive = { name: "a", sizeBytes: 0, sha256: "" };
    const facts = {
      archive,
      blocksSha256: "",
      cutRule: {},
      compression: "gz",
      compressor: "",
      level: "",
      lifeboat: "",
    } as const;
    expect(() => writer.finish(facts)).toThrow("more than 1000 bytes of memory");
  });
});

describe("a damaged or hostile index", () => {
  it("is noticed, whichever byte is wrong or missing", async () => {
    const bytes = await indexOf(many.slice(0, 3_000));
    for (let at = 0; at < bytes.length; at += at < 8 || at > bytes.length - 90 ? 1 : 997) {
      if (at < MAGIC.length) continue; // The first bytes are for people and `file`.
      const wrong = Buffer.from(bytes);
      wrong[at] = (wrong[at] ?? 0) ^ 0x10;
      await expect(pathsIn(wrong), `byte ${at}`).rejects.toThrow(IndexFault);
    }
    for (const length of [0, 1, 79, 80, 88, bytes.length - 1]) {
      await expect(pathsIn(bytes.subarray(0, length))).rejects.toThrow(IndexFault);
    }
    const newer = Buffer.from(bytes);
    newer[bytes.length - 1] = 2;
    await expect(pathsIn(newer)).rejects.toThrow("version 2");
  });

  it("whose checksums are right does no harm", async () => {
    const bytes = await indexOf(many.slice(0, 300));
    let seed = 1;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    let faults = 0;
    for (let round = 0; round < 400; round += 1) {
      const evil = resealed(bytes, (directory) => {
        for (let change = random(4); change >= 0; change -= 1) {
          directory[random(directory.length)] = random(3) === 0 ? 255 : random(256);
        }
        return random(5) === 0 ? directory.subarray(0, random(directory.length)) : directory;
      });
      await pathsIn(evil).catch((thrown: unknown) => {
        expect(thrown).toBeInstanceOf(IndexFault);
        faults += 1;
      });
    }
    expect(faults).toBeGreaterThan(300);
    const bomb = resealed(bytes, () => Buffer.alloc(64 * 1024 * 1024));
    await expect(pathsIn(bomb)).rejects.toThrow("directory that is too large");
    const liar = resealed(bytes, () => Buffer.alloc(8 * 1024 * 1024), 1_000_000);
    await expect(pathsIn(liar)).rejects.toThrow("can't be decompressed");
  });
});

/** The index with another directory, and a trailer that fits it. */
function resealed(bytes: Buffer, change: (directory: Buffer) => Buffer, statedBytes?: number): Buffer {
  const trailer = Buffer.from(bytes.subarray(-TRAILER_BYTES));
  const offset = Number(trailer.readBigUInt64LE(TRAILER.directoryOffset));
  const directory = change(unpacked(bytes.subarray(offset, -TRAILER_BYTES)));
  const stored = zstdCompressSync(directory);
  trailer.writeUInt32LE(stored.length, TRAILER.directoryStoredBytes);
  trailer.writeUInt32LE(statedBytes ?? directory.length, TRAILER.directoryRawBytes);
  trailer.set(hash("sha256", stored, "buffer"), TRAILER.directorySha256);
  trailer.writeBigUInt64LE(BigInt(offset + stored.length + TRAILER_BYTES), TRAILER.indexBytes);
  trailer.writeUInt32LE(crc32(trailer.subarray(0, TRAILER.crc32)), TRAILER.crc32);
  return Buffer.concat([bytes.subarray(0, offset), stored, trailer]);
}
