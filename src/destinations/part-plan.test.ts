import { describe, expect, it } from "vitest";
import { type PartLimits, planParts } from "./part-plan.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const LIMITS: PartLimits = {
  baseBytes: 16 * MIB,
  maxParts: 10_000,
  maxPartBytes: 5 * GIB,
  canGrow: true,
  buffers: 3,
  hint: "see AWS_PART_SIZE",
};
const PLENTY = 64 * GIB;
const unknown = { sizeBytes: undefined, estimateBytes: 0 };
const estimated = (estimateBytes: number) => ({ sizeBytes: undefined, estimateBytes });

/** Sizes of all parts that hold `sizeBytes`. */
function cut(sizeBytes: number, body: Parameters<typeof planParts>[0], limits = LIMITS, memory = PLENTY): number[] {
  const plan = planParts(body, limits, memory);
  const sizes: number[] = [];
  for (let at = 0; at < sizeBytes; at += sizes.at(-1) ?? 0) sizes.push(plan.sizeOf(sizes.length + 1, at));
  return sizes;
}

describe("the size of parts", () => {
  it("is the base where that holds the archive with room to spare", () => {
    expect(new Set(cut(100 * GIB, estimated(100 * GIB)))).toEqual(new Set([16 * MIB]));
  });

  it("is chosen up front for a larger archive, in whole MiB, with room for an estimate that was too low", () => {
    const sizes = cut(1024 * GIB, estimated(1024 * GIB));
    expect(new Set(sizes).size).toBe(1);
    expect((sizes[0] ?? 0) % MIB).toBe(0);
    expect(sizes.length).toBeLessThan(9_600);
    expect(sizes.length).toBeGreaterThan(8_500);
  });

  it("uses every part where the size is known", () => {
    const sizes = cut(1000 * GIB, { sizeBytes: 1000 * GIB, estimateBytes: 0 });
    expect(sizes.length).toBeGreaterThan(9_900);
    expect(sizes.length).toBeLessThanOrEqual(10_000);
  });

  it("doubles every 1,000 parts where nothing is known, and never runs out below 15 TiB", () => {
    const sizes = cut(4096 * GIB, unknown);
    expect(sizes.length).toBeLessThanOrEqual(10_000);
    expect(sizes[999]).toBe(16 * MIB);
    expect(sizes[1_000]).toBe(32 * MIB);
    expect(sizes.toSorted((a, b) => a - b)).toEqual(sizes);
  });

  it("grows only beyond the estimate", () => {
    const sizes = cut(300 * GIB, estimated(100 * GIB));
    const firstLarger = sizes.findIndex((size) => size > 16 * MIB);
    expect(firstLarger * 16 * MIB).toBeGreaterThan(100 * GIB);
    expect(sizes.length).toBeLessThan(10_000);
  });

  it("stays as it is where parts must be equal, and says so at the limit", () => {
    const equal = { ...LIMITS, canGrow: false, maxParts: 100 };
    expect(new Set(cut(100 * 16 * MIB, unknown, equal))).toEqual(new Set([16 * MIB]));
    expect(() => cut(100 * 16 * MIB + 1, unknown, equal)).toThrow("larger than 100 parts");
  });

  it("is raised for a store that takes 1,000 parts", () => {
    const sizes = cut(100 * GIB, estimated(100 * GIB), { ...LIMITS, maxParts: 1_000 });
    expect(sizes.length).toBeLessThan(1_000);
  });

  it("is refused where the store can't hold the archive at all", () => {
    expect(() => planParts({ sizeBytes: 60_000 * GIB, estimateBytes: 0 }, LIMITS, PLENTY)).toThrow("larger than");
  });
});

describe("memory", () => {
  const SMALL = 350 * 1000 * 1000;

  it("has room for all buffers of the usual size in a container of 350 MB", () => {
    expect(planParts(unknown, LIMITS, SMALL).buffersOf(16 * MIB)).toBe(3);
  });

  it("holds fewer large parts, and at least one", () => {
    const plan = planParts(unknown, LIMITS, SMALL);
    expect(plan.buffersOf(64 * MIB)).toBe(1);
    expect(plan.buffersOf(512 * MIB)).toBe(1);
  });

  it("bounds the growth", () => {
    const sizes = cut(500 * GIB, unknown, LIMITS, SMALL);
    expect(Math.max(...sizes)).toBeLessThan(110 * MIB);
  });

  it("refuses a size by the user that can't fit", () => {
    expect(() => planParts(unknown, { ...LIMITS, baseBytes: 512 * MIB }, SMALL)).toThrow("memory limit");
  });
});
