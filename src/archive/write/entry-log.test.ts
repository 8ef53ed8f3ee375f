import { createHash } from "node:crypto";
import { linkSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { makeArchive, temporaryFolder } from "../../../test/archive/make.ts";
import type { ArchiveBlock } from "../../contracts/archive.ts";
import { FIELD, LOGGED_TYPES, RECORD_BYTES } from "./entry-log.ts";

it("tells of each block, and where each entry's header lies in them", async () => {
  using folder = temporaryFolder();
  const site = path.join(folder.path, "site");
  mkdirSync(path.join(site, "sub"), { recursive: true });
  writeFileSync(path.join(site, "a large one"), Buffer.alloc(2_600_000, "x"));
  writeFileSync(path.join(site, "small"), "hello");
  linkSync(path.join(site, "small"), path.join(site, "sub", "same"));
  symlinkSync("nowhere", path.join(site, "sub", "link"));
  writeFileSync(Buffer.from(`${site}/\xff\n${"n".repeat(200)}`, "latin1"), "");
  const blocks: ArchiveBlock[] = [];
  const { bytes, result } = await makeArchive([site], { hardlinks: "link", onBlock: (block) => blocks.push(block) });

  expect(result.blocks).toBe(blocks.length);
  expect(blocks.length).toBeGreaterThan(3);
  const starts: number[] = [];
  let at = 0;
  for (const block of blocks) {
    starts.push(at);
    expect(block.rawBytes).toBe(block.storedBytes);
    const digest = createHash("sha256")
      .update(bytes.subarray(at, at + block.storedBytes))
      .digest();
    expect(Buffer.from(block.sha256).equals(digest)).toBe(true);
    at += block.storedBytes;
  }
  expect(at).toBe(bytes.length);
  const list = createHash("sha256");
  for (const block of blocks) list.update(block.sha256);
  expect(result.blocksSha256).toBe(list.digest("hex"));

  const seen: string[] = [];
  const log = Buffer.concat(blocks.map(({ entries }) => entries));
  for (let record = 0; record < log.length;) {
    const pathBytes = log.readUInt32LE(record + FIELD.pathBytes);
    const linkBytes = log.readUInt32LE(record + FIELD.linkBytes);
    const name = log.toString("latin1", record + RECORD_BYTES, record + RECORD_BYTES + pathBytes);
    const type = LOGGED_TYPES[log.readUInt16LE(record + FIELD.type)];
    const header =
      (starts[log.readUInt32LE(record + FIELD.block)] ?? NaN) +
      log.readUInt32LE(record + FIELD.offset) +
      log.readUInt32LE(record + FIELD.headerBytes) -
      512;
    expect(bytes.toString("latin1", header + 257, header + 262)).toBe("ustar");
    expect(bytes.toString("latin1", header, header + 100).replaceAll("\0", "")).toBe(name.slice(0, 100));
    const real = statSync(Buffer.from(`/${name}`, "latin1"), { bigint: true, throwIfNoEntry: false });
    if (type !== "symlink") {
      expect(log.readBigUInt64LE(record + FIELD.inode)).toBe(real?.ino);
      expect(log.readBigUInt64LE(record + FIELD.device)).toBe(real?.dev);
      expect(log.readBigInt64LE(record + FIELD.mtime)).toBe(real?.mtimeNs);
      expect(log.readBigInt64LE(record + FIELD.ctime)).toBe(real?.ctimeNs);
      expect(log.readUInt16LE(record + FIELD.mode)).toBe(Number(real?.mode) & 0o7777);
      if (type === "file") expect(log.readBigUInt64LE(record + FIELD.size)).toBe(real?.size);
    }
    record += RECORD_BYTES + pathBytes;
    seen.push(`${type} ${name.slice(site.length).slice(0, 12)} ${log.toString("latin1", record, record + linkBytes)}`);
    record += linkBytes;
  }
  expect(seen).toEqual([
    "directory  ",
    "file a large one ",
    "file small ",
    "directory sub/ ",
    "symlink sub/link nowhere",
    `hardlink sub/same ${site.slice(1)}/small`,
    "file \xff\nnnnnnnnnnn ",
  ]);
});
