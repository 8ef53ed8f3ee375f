import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import type { CompressionLevel } from "../../contracts/archive.ts";
import { type BlockCompressor, createCompressor } from "./compressors.ts";

const BLOCK_BYTES = 1_200_000;
const LEVELS: readonly CompressionLevel[] = ["fast", "default", "best"];
const folder = mkdtempSync(path.join(os.tmpdir(), "lifeboat-compress-"));
afterAll(() => rmSync(folder, { recursive: true }));

const text = Buffer.from("some text that repeats itself, with numbers 12345 and more\n".repeat(20_000));
const mixed = Buffer.concat([text.subarray(0, 300_000), randomBytes(400_000), text.subarray(0, 300_000)]);
const blocks: readonly (readonly [string, Buffer])[] = [
  ["nothing", Buffer.alloc(0)],
  ["one byte", Buffer.from("x")],
  ["text", text],
  ["zeros", Buffer.alloc(BLOCK_BYTES)],
  ["noise", randomBytes(BLOCK_BYTES)],
  ["noise of one stored piece", randomBytes(65_535)],
  ["noise of one byte more", randomBytes(65_536)],
  ["noise between text", mixed],
];

async function compress(compressor: BlockCompressor, block: Uint8Array): Promise<Buffer> {
  const input = new SharedArrayBuffer(BLOCK_BYTES);
  new Uint8Array(input).set(block);
  const compressed = await compressor.compress(input, block.length);
  const made = Buffer.from(new Uint8Array(compressed.output, 0, compressed.outputBytes).slice());
  compressor.reuse(compressed.output);
  return made;
}

const open = (compression: "gz" | "zst", level: CompressionLevel, native: boolean): BlockCompressor =>
  createCompressor(compression, level, { slots: 1, blockBytes: BLOCK_BYTES, native });

/** What a program makes of a file on its standard output. */
function output(command: string, args: readonly string[], bytes: Uint8Array): Buffer {
  const file = path.join(folder, "input.gz");
  writeFileSync(file, bytes);
  const { status, stdout, stderr } = spawnSync(command, [...args, file], { maxBuffer: 64_000_000 });
  if (status !== 0) throw new Error(`${command}: ${stderr.toString()}`);
  return stdout;
}

describe.each([true, false])("with libraries: %s", (native) => {
  it.each(LEVELS)(
    "gzip, %s: blocks after one another are what they were, for Node.js, gzip and Python",
    async (level) => {
      const compressor = open("gz", level, native);
      try {
        const made: Buffer[] = [];
        for (const [title, block] of blocks) {
          const members = await compress(compressor, block);
          if (block.length > 0) {
            expect(gunzipSync(members).equals(block), title).toBe(true);
            // No time, no name, no hint of the level, Unix: the same wherever it is made.
            expect(members.subarray(0, 10).toString("hex"), title).toBe("1f8b0800000000000003");
          }
          expect((await compress(compressor, block)).equals(members), title).toBe(true);
          made.push(members);
        }
        const whole = Buffer.concat(made);
        const expected = Buffer.concat(blocks.map(([, block]) => block));
        expect(output("gzip", ["-dc"], whole).equals(expected)).toBe(true);
        const python = "import gzip,sys; sys.stdout.buffer.write(gzip.open(sys.argv[1]).read())";
        expect(output("python3", ["-c", python], whole).equals(expected)).toBe(true);
      } finally {
        await compressor.close();
      }
    },
  );

  it.each(LEVELS)("zstd, %s: each block is one frame with size and checksum, for Node.js and zstd", async (level) => {
    const compressor = open("zst", level, native);
    try {
      const made: Buffer[] = [];
      for (const [title, block] of blocks) {
        const frame = await compress(compressor, block);
        expect(frame.readUInt32LE(0)).toBe(0xfd2fb528);
        // RFC 8878, 3.1.1.1.1: the checksum flag; and a size is there.
        expect((frame[4] ?? 0) & 0x04).toBe(0x04);
        expect(zstdDecompressSync(frame).equals(block), title).toBe(true);
        made.push(frame);
      }
      const expected = Buffer.concat(blocks.map(([, block]) => block));
      expect(output("zstd", ["-dcq"], Buffer.concat(made)).equals(expected)).toBe(true);
    } finally {
      await compressor.close();
    }
  });

  it("what does not compress is stored, and what lies beside it is not", async () => {
    const compressor = open("gz", "default", native);
    try {
      const noise = await compress(compressor, randomBytes(1_000_000));
      expect(noise.length).toBeLessThan(1_000_000 + 18 + 5 * 17);
      expect((await compress(compressor, mixed)).length).toBeLessThan(400_000 + 70_000);
    } finally {
      await compressor.close();
    }
  });
});

describe("the name", () => {
  const nameOf = async (compression: "gz" | "zst", level: CompressionLevel, native: boolean): Promise<string> => {
    const compressor = open(compression, level, native);
    await compress(compressor, text);
    await compressor.close();
    return compressor.name;
  };

  it("says what was used", async () => {
    expect(await nameOf("gz", "default", false)).toMatch(/^zlib [\d.]+ level 5$/);
    expect(await nameOf("zst", "default", false)).toMatch(/^zstd [\d.]+ of Node\.js level \d+$/);
    expect(await nameOf("gz", "default", true)).toMatch(/^libdeflate level \d+$|^zlib/);
    expect(await nameOf("gz", "fast", true)).toMatch(/^ISA-L ([\d.]+ )?level \d$|^libdeflate|^zlib/);
    expect(await nameOf("zst", "best", true)).toMatch(/^libzstd [\d.]+ level \d+$|^zstd/);
  });

  it("says so where a library is there that can't be loaded", () => {
    writeFileSync(path.join(folder, "libdeflate.so.0"), "no library\n");
    const program = `
      const { loadEngine } = await import(${JSON.stringify(path.join(import.meta.dirname, "engines.ts"))});
      console.log((await loadEngine({ compression: "gz", level: "default", native: true })).name);`;
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      env: { ...process.env, LD_LIBRARY_PATH: folder },
      encoding: "utf8",
    });
    expect(stdout).toMatch(/^zlib [\d.]+ level 5\n$/);
  });
});

describe("a compressor", () => {
  it("rejects what is under way when it is closed", async () => {
    const compressor = open("gz", "best", false);
    const refused = expect(compress(compressor, text)).rejects.toThrow("given up");
    await compressor.close();
    await refused;
  });

  it("none gives the block itself", async () => {
    const compressor = createCompressor("none", "default", { slots: 1, blockBytes: 10, native: true });
    const input = new SharedArrayBuffer(10);
    expect(await compressor.compress(input, 3)).toEqual({ input, output: input, outputBytes: 3 });
  });
});
