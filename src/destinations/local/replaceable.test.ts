import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import { isReplaceable } from "./replaceable.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lifeboat-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const tarHead = Buffer.alloc(512);
tarHead.write("ustar", 257);

it.each<[string, string, Uint8Array, boolean]>([
  ["a page", "index.html", Buffer.from("<h1>mine</h1>"), false],
  ["a page without an ending", "backup", Buffer.from("x".repeat(600)), false],
  ["an archive's name, whatever is in it", "site.tar.gz", Buffer.from("old"), true],
  ["an encrypted archive's name", "backup.gpg", Buffer.from("old"), true],
  ["an empty file", "backup", Buffer.alloc(0), true],
  ["gzip without an ending", "backup", gzipSync("x"), true],
  ["zstd without an ending", "backup", zstdCompressSync("x"), true],
  ["tar without an ending", "backup", tarHead, true],
])("%s", async (_title, name, content, expected) => {
  writeFileSync(join(folder, name), content);
  expect(await isReplaceable(join(folder, name), name)).toBe(expected);
});
