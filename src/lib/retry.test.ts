import { expect, it } from "vitest";
import { retry, type RetryOptions } from "./retry.ts";

function options(more: Partial<RetryOptions> = {}): RetryOptions {
  return {
    attempts: 4,
    baseMs: 4,
    maxMs: 10,
    signal: new AbortController().signal,
    isTransient: () => true,
    random: () => 1,
    ...more,
  };
}

it("gives the first success and says each wait: doubling, bounded", async () => {
  const waits: number[] = [];
  const result = await retry(
    async (attempt) => {
      if (attempt < 4) throw new Error(`no ${attempt}`);
      return attempt;
    },
    options({ onRetry: ({ waitMs }) => waits.push(waitMs) }),
  );
  expect(result).toBe(4);
  expect(waits).toEqual([4, 8, 10]);
});

it("keeps each wait between half and all of its step", async () => {
  const waits: number[] = [];
  await expect(
    retry(
      () => Promise.reject(new Error("no")),
      options({ random: () => 0, onRetry: ({ waitMs }) => waits.push(waitMs) }),
    ),
  ).rejects.toThrow("no");
  expect(waits).toEqual([2, 4, 5]);
});

it("rejects with the last failure after all attempts, or at once with one that is final", async () => {
  let calls = 0;
  const failing = (): Promise<never> => Promise.reject(new Error(`failure ${(calls += 1)}`));
  await expect(retry(failing, options())).rejects.toThrow("failure 4");
  calls = 0;
  await expect(retry(failing, options({ isTransient: () => false }))).rejects.toThrow("failure 1");
});

it("waits as long as it is asked to, within its bound", async () => {
  const waits: number[] = [];
  await retry(
    async (attempt) => {
      if (attempt < 3) throw new Error("slow down");
    },
    options({
      maxMs: 9,
      waitAskedMs: () => (waits.length === 0 ? 7 : 1_000_000),
      onRetry: ({ waitMs }) => waits.push(waitMs),
    }),
  );
  expect(waits).toEqual([7, 9]);
});

it("begins no attempt after its total", async () => {
  let calls = 0;
  let now = 0;
  const failing = (): Promise<never> => {
    calls += 1;
    now += 1_000;
    return Promise.reject(new Error("no"));
  };
  await expect(retry(failing, options({ attempts: 100, totalMs: 2_500, now: () => now }))).rejects.toThrow("no");
  expect(calls).toBe(3);
});

it("ends a wait as soon as it is aborted, and never begins when it was already", async () => {
  const controller = new AbortController();
  let calls = 0;
  const failing = (): Promise<never> => {
    calls += 1;
    return Promise.reject(new Error("no"));
  };
  const onRetry = (): void => void setTimeout(() => controller.abort(new Error("stop")), 10);
  await expect(
    retry(failing, options({ baseMs: 60_000, maxMs: 60_000, signal: controller.signal, onRetry })),
  ).rejects.toThrow("stop");
  await expect(retry(failing, options({ signal: controller.signal }))).rejects.toThrow("stop");
  expect(calls).toBe(1);
});
