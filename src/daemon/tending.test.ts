import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createTending } from "./tending.ts";

describe("tending", () => {
  beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
  afterEach(() => void vi.useRealTimers());

  it("keeps the earliest appointment, and the one that the work asks for", async () => {
    const times: number[] = [];
    const answers = [1_090_000, undefined];
    const tending = createTending(() => {
      times.push(Date.now());
      return Promise.resolve(answers.shift());
    });
    tending.at(undefined);
    tending.at(1_060_000);
    tending.at(1_020_000);
    tending.at(1_050_000);
    await vi.advanceTimersByTimeAsync(300_000);
    expect(times).toEqual([1_020_000, 1_090_000]);
  });

  it("waits longer than a timer can", async () => {
    let calls = 0;
    const tending = createTending(() => {
      calls += 1;
      return Promise.resolve(undefined);
    });
    const days = 60 * 24 * 3_600_000;
    tending.at(1_000_000 + days);
    await vi.advanceTimersByTimeAsync(days - 1_000);
    expect(calls).toBe(0);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(calls).toBe(1);
  });

  it("a time in the past is soon, and a stop ends it", async () => {
    let calls = 0;
    const tending = createTending(() => {
      calls += 1;
      return Promise.resolve(0);
    });
    tending.at(0);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(calls).toBe(1);
    tending.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(calls).toBe(1);
  });
});
