import { describe, expect, it } from "vitest";
import { createBlockWriter } from "./block-writer.ts";
import { CUT_RULE, blockCapacityBytes, cutsBefore, hashPath } from "./blocks.ts";

/** Block sizes and first entries for files of these sizes. */
function cut(files: readonly (readonly [path: string, bytes: number])[]): { bytes: number; first: string }[] {
  const blocks: { bytes: number; first: string }[] = [];
  const buffer = Buffer.alloc(blockCapacityBytes(CUT_RULE));
  let first = "";
  const writer = createBlockWriter(CUT_RULE, {
    emptyBuffer: () => buffer,
    send: (_, bytes) => {
      blocks.push({ bytes, first });
    },
  });
  for (const [path, bytes] of files) {
    writer.beginEntry(path, 512, bytes);
    if (writer.used === 0) first = path;
    expect(writer.buffer).toBe(buffer);
    writer.used += 512;
    for (let left = bytes; left > 0; left -= CUT_RULE.pieceBytes) {
      if (left !== bytes) {
        writer.cut();
        first = `${path} in the middle`;
        expect(writer.buffer).toBe(buffer);
      }
      writer.used += Math.min(left, CUT_RULE.pieceBytes);
    }
  }
  writer.cut();
  return blocks;
}

const smallFiles = Array.from(
  { length: 3_000 },
  (_, at) => [`site/file-${String(at).padStart(5, "0")}`, (at * 7_919) % 24_000] as const,
);

describe("blocks", () => {
  it("stay within their limits, and are about a megabyte", () => {
    const blocks = cut([...smallFiles, ["z-large", 20_000_001]]);
    expect(blocks.slice(0, -1).every(({ bytes }) => bytes >= CUT_RULE.minBytes)).toBe(true);
    expect(blocks.every(({ bytes }) => bytes <= CUT_RULE.maxBytes)).toBe(true);
    expect(blocks.length).toBeGreaterThan(40);
    expect(blocks.length).toBeLessThan(80);
  });

  it.each([0, 1_000, 1_777, 2_999])("are the same but for a few where a file is added at %i", (at) => {
    const added = [...smallFiles.slice(0, at), ["site/file-added", 9_000] as const, ...smallFiles.slice(at)];
    const key = ({ bytes, first }: { bytes: number; first: string }): string => `${first} ${bytes}`;
    const before = new Set(cut(smallFiles).map(key));
    const changed = cut(added).filter((block) => !before.has(key(block)));
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.length).toBeLessThanOrEqual(6);
  });

  it("inside a large file lie at fixed offsets from its start", () => {
    const alone = cut([["large", 10_000_000]]).map(({ bytes }) => bytes);
    const behind = cut([
      ["other", 300_000],
      ["large", 10_000_000],
    ]).map(({ bytes }) => bytes);
    expect(alone.slice(1)).toEqual(behind.slice(1));
    expect(alone[1]).toBe(CUT_RULE.pieceBytes);
  });

  it("never begin behind an entry that would not fit", () => {
    expect(cutsBefore(CUT_RULE, CUT_RULE.maxBytes - 511, 2 ** 32 - 1, 512, 0)).toBe(true);
    expect(cutsBefore(CUT_RULE, CUT_RULE.maxBytes - 512, 2 ** 32 - 1, 512, 0)).toBe(false);
    expect(cutsBefore(CUT_RULE, 0, 0, 512, 2 ** 40)).toBe(false);
    expect(cutsBefore(CUT_RULE, CUT_RULE.minBytes - 1, 0, 512, 100)).toBe(false);
  });
});

describe("the path hash", () => {
  it("is stable", () => {
    expect([hashPath(""), hashPath("backup/a"), hashPath("backup/b")].map((hash) => hash.toString(16)))
      .toMatchInlineSnapshot(`
      [
        "ab3e7c0b",
        "32a4681c",
        "972f4b2a",
      ]
    `);
  });
  it("is evenly spread over similar names", () => {
    const low = Array.from({ length: 10_000 }, (_, at) => hashPath(`backup/file-${at}`)).filter(
      (hash) => hash < 2 ** 32 / 16,
    );
    expect(low.length).toBeGreaterThan(525);
    expect(low.length).toBeLessThan(725);
  });
});
