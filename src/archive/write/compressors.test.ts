import { randomBytes } from "node:crypto";
import { gunzipSync, gzipSync, zstdDecompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { looksCompressible } from "./compressibility.ts";
import { createCompressor } from "./compressors.ts";
import { storedGzipMember } from "./gzip-member.ts";

const text = Buffer.from("some text that repeats itself, with numbers 12345 and more\n".repeat(20_000));

describe("a compressor", () => {
  it.each(["fast", "default", "best"] as const)("gives one gzip member without time or origin (%s)", async (level) => {
    const { compress } = createCompressor("gz", level);
    const member = Buffer.from(await compress(text));
    expect(member.subarray(0, 10).toString("hex")).toBe("1f8b0800000000000003");
    expect(gunzipSync(member).equals(text)).toBe(true);
    expect(Buffer.from(await compress(text)).equals(member)).toBe(true);
  });

  it.each(["fast", "default", "best"] as const)("gives one zstd frame with size and checksum (%s)", async (level) => {
    const frame = Buffer.from(await createCompressor("zst", level).compress(text));
    expect(frame.readUInt32LE(0)).toBe(0xfd2fb528);
    // RFC 8878, 3.1.1.1.1: single segment or content size, and the checksum flag.
    expect((frame[4] ?? 0) & 0x04).toBe(0x04);
    expect(zstdDecompressSync(frame).equals(text)).toBe(true);
  });

  it("never gives the caller's own memory back", async () => {
    const block = Uint8Array.from([1, 2, 3]);
    const copy = await createCompressor("none", "default").compress(block);
    block.fill(0);
    expect([...copy]).toEqual([1, 2, 3]);
  });

  it("stores what does not compress", async () => {
    const noise = randomBytes(1_000_000);
    const member = await createCompressor("gz", "default").compress(noise);
    expect(member.length).toBe(1_000_000 + 18 + 5 * 16);
    expect(gunzipSync(member).equals(noise)).toBe(true);
  });
});

describe("a stored member", () => {
  it.each([0, 1, 65_535, 65_536, 131_070, 200_000])("of %i bytes is a gzip member", (size) => {
    const block = randomBytes(size);
    expect(gunzipSync(storedGzipMember(block)).equals(block)).toBe(true);
    expect(gunzipSync(Buffer.concat([storedGzipMember(block), gzipSync("x"), storedGzipMember(block)])).length).toBe(
      2 * size + 1,
    );
  });
});

describe("the sample", () => {
  it("knows text and noise apart, whatever their sizes", () => {
    for (const size of [4_096, 5_000, 100_000, 1_000_000, 4_000_000]) {
      expect(looksCompressible(Buffer.alloc(size, text))).toBe(true);
      expect(looksCompressible(randomBytes(size))).toBe(false);
      expect(looksCompressible(gzipSync(randomBytes(size)).subarray(0, size))).toBe(false);
    }
    expect(looksCompressible(new Uint8Array(10))).toBe(true);
  });
  it("sees text between noise", () => {
    const mixed = Buffer.concat([randomBytes(700_000), text.subarray(0, 300_000)]);
    expect(looksCompressible(mixed)).toBe(true);
  });
});
