import { createHash, hash } from "node:crypto";
import { openIndex } from "../src/archive/index/reader.ts";
import { createIndexWriter } from "../src/archive/index/writer.ts";
import { createEntryLog } from "../src/archive/write/entry-log.ts";
import { prepareHeader } from "../src/archive/write/headers.ts";

/**
 * What an index of many entries costs: `node bench/index.ts [entries]`. Names, times and inodes are like those of a site
 * (8 folders deep at most, 1,000 files in each), in an archive of 64 entries a block.
 */
const entries = Number(process.argv[2] ?? 1_000_000);
const ENTRIES_PER_BLOCK = 64;

const noise = (at: number): number => (Math.imul(at + 1, 2_654_435_761) >>> 0) / 2 ** 32;
const pathOf = (at: number): string => {
  const folder = String(Math.floor(at / 1_000)).padStart(5, "0");
  return `backup/html/wp-content/uploads/20${folder.slice(0, 2)}/${folder.slice(2)}/image-${String(at % 1_000).padStart(4, "0")}-${Math.floor(noise(at) * 1e6)}.jpg`;
};
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const seconds = (from: NodeJS.CpuUsage): string => {
  const { user, system } = process.cpuUsage(from);
  return `${((user + system) / 1e6).toFixed(2)} s CPU`;
};
const peak = (): string => megabytes(process.resourceUsage().maxRSS * 1024);

const before = peak();
const writer = createIndexWriter(2 ** 40);
const log = createEntryLog();
const list = createHash("sha256");
let blocks = 0;
let rawBytes = 0;
const began = process.cpuUsage();
for (let at = 0; at < entries; at += 1) {
  const header = prepareHeader({
    type: "file",
    path: pathOf(at),
    mode: 0o644,
    uid: 33,
    gid: 33,
    sizeBytes: Math.floor(noise(at + 7) * 30_000),
    mtimeSeconds: 1_700_000_000 + Math.floor(noise(at) * 1e8),
    mtimeNanoseconds: Math.floor(noise(at + 1) * 1e9),
    linkPath: "",
    deviceMajor: 0,
    deviceMinor: 0,
  });
  const place = { entryBlock: blocks, entryOffset: rawBytes };
  log.add(
    header,
    {
      ctimeSeconds: 1_760_000_000 + Math.floor(noise(at + 3) * 1e6),
      ctimeNanoseconds: Math.floor(noise(at + 5) * 1e9),
      inodeLow: 1_000_000 + at,
      inodeHigh: 0,
      device: 66,
    },
    place,
  );
  rawBytes += header.bytes + Math.ceil(header.entry.sizeBytes / 512) * 512;
  if (at % ENTRIES_PER_BLOCK === ENTRIES_PER_BLOCK - 1 || at === entries - 1) {
    const sha256 = hash("sha256", String(at), "buffer");
    list.update(sha256);
    blocks += 1;
    writer.add({ rawBytes, storedBytes: 1_000, sha256, entries: log.take() });
    rawBytes = 0;
  }
}
const source = writer.finish({
  archive: { name: "site.tar.gz", sizeBytes: blocks * 1_000, sha256: "0".repeat(64) },
  blocksSha256: list.digest("hex"),
  cutRule: {},
  compression: "gz",
  compressor: "none",
  level: "default",
  lifeboat: "0",
});
const indexBytes = source.sizeBytes ?? 0;
process.stdout.write(
  `write    ${entries} entries: ${megabytes(indexBytes)}, ${seconds(began)} with their headers, peak ${peak()} (${before} before)\n`,
);

const pieces: Uint8Array[] = [];
for await (const piece of source.read(0, new AbortController().signal)) pieces.push(piece);
const bytes = Buffer.concat(pieces);
let requests = 0;
let taken = 0;
const read = (offset: number, length: number): Promise<Buffer> => {
  requests += 1;
  taken += length;
  return Promise.resolve(bytes.subarray(offset, offset + length));
};
const lookUp = process.cpuUsage();
const index = await openIndex(read, bytes.length);
const found = await index.find(Buffer.from(pathOf(Math.floor(entries * 0.7))));
if (found === undefined) throw new Error("not found");
await index.block(found.block);
process.stdout.write(
  `look up  one path and its block: ${requests} requests, ${megabytes(taken)} read, ${seconds(lookUp)}\n`,
);
const listing = process.cpuUsage();
let count = 0;
for await (const _ of index.atOrBelow(Buffer.alloc(0))) count += 1;
process.stdout.write(`list     ${count} entries: ${seconds(listing)}, peak ${peak()}\n`);
