import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { partBlock } from "./compressibility.ts";

const text = Buffer.from("some text that repeats itself, with numbers 12345 and more\n".repeat(20_000));

function header(): Buffer {
  const made = Buffer.alloc(512);
  made.write("name");
  made.write("ustar\u000000", 257, "latin1");
  return made;
}

const padded = (content: Buffer): Buffer => Buffer.concat([content, Buffer.alloc(-content.length & 511)]);

describe("a block's parts", () => {
  it.each([16_384, 65_536, 100_000, 1_000_000])("of %i bytes: text and noise are told apart", (size) => {
    expect(partBlock(Buffer.alloc(size, text))).toEqual([{ end: size, isStored: false }]);
    expect(partBlock(randomBytes(size))).toEqual([{ end: size, isStored: true }]);
    const compressed = gzipSync(randomBytes(size)).subarray(100, size);
    expect(partBlock(compressed)).toEqual([{ end: compressed.length, isStored: compressed.length >= 16_384 }]);
  });

  it("headers and short content are never stored", () => {
    expect(partBlock(new Uint8Array(0))).toEqual([]);
    expect(partBlock(randomBytes(16_383))).toEqual([{ end: 16_383, isStored: false }]);
    const small = Array.from({ length: 50 }, () => [header(), padded(randomBytes(10_000))]).flat();
    const block = Buffer.concat(small);
    expect(partBlock(block)).toEqual([{ end: block.length, isStored: false }]);
  });

  it("pictures between files begin and end where their content does", () => {
    const picture = padded(randomBytes(90_000));
    const block = Buffer.concat([header(), text.subarray(0, 51_200), header(), picture, header(), picture, header()]);
    const first = 512 + 51_200 + 512;
    const second = first + picture.length + 512;
    expect(partBlock(block)).toEqual([
      { end: first, isStored: false },
      { end: first + picture.length, isStored: true },
      { end: second, isStored: false },
      { end: second + picture.length, isStored: true },
      { end: block.length, isStored: false },
    ]);
  });

  it("noise in the middle of one large file is found", () => {
    const file = Buffer.concat([text.subarray(0, 512 * 1024), randomBytes(256 * 1024), text.subarray(0, 128 * 1024)]);
    expect(partBlock(file)).toEqual([
      { end: 512 * 1024, isStored: false },
      { end: 768 * 1024, isStored: true },
      { end: file.length, isStored: false },
    ]);
  });
});
