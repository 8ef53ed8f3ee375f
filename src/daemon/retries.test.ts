import { expect, it, vi } from "vitest";
import { createRetries } from "./retries.ts";

it("tries after growing pauses until nothing waits, never while a run goes on, and anew after a run", async () => {
  vi.useFakeTimers();
  try {
    const triedAt: number[] = [];
    let busy = false;
    let pending = true;
    const beganAt = Date.now();
    const retries = createRetries({
      pausesMs: [1_000, 2_000, 4_000],
      isBusy: () => busy,
      async attempt() {
        triedAt.push(Date.now() - beganAt);
        return pending;
      },
    });
    retries.expect();
    await vi.advanceTimersByTimeAsync(12_000);
    expect(triedAt).toEqual([1_000, 3_000, 7_000, 11_000]);
    retries.expect();
    busy = true;
    await vi.advanceTimersByTimeAsync(2_500);
    busy = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(triedAt.slice(4)).toEqual([15_000]);
    pending = false;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(triedAt.slice(5)).toEqual([17_000]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(triedAt).toHaveLength(6);
    retries.expect();
    retries.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(triedAt).toHaveLength(6);
  } finally {
    vi.useRealTimers();
  }
});
