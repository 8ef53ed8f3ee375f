import { describe, expect, it } from "vitest";
import { blocksInFlight } from "./parallelism.ts";

describe("blocks in flight", () => {
  it.each([
    [0, undefined, undefined, 8, 8],
    [0, 0.35, undefined, 8, 1],
    [0, 1.5, undefined, 8, 2],
    [0, 16, undefined, 8, 8],
    [4, 0.35, undefined, 8, 4],
    [4, undefined, undefined, 2, 2],
    [0, undefined, 350_000_000, 32, 12],
    [8, undefined, 200_000_000, 8, 3],
    [8, undefined, 100_000_000, 8, 1],
  ])("wanted %s, %s CPUs, %s bytes, %s cores: %s", (wanted, cpus, memoryBytes, cores, expected) => {
    expect(blocksInFlight(wanted, { cpus, memoryBytes }, cores)).toBe(expected);
  });
});
