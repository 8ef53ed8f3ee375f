import { expect, it } from "vitest";
import { orAborted, untilAborted } from "./abortable.ts";

const never = new Promise<never>(() => undefined);

it("settles as the promise does, or with the abort", async () => {
  const { signal } = new AbortController();
  expect(await orAborted(Promise.resolve(1), signal)).toBe(1);
  await expect(orAborted(Promise.reject(new Error("no")), signal)).rejects.toThrow("no");
  await expect(orAborted(never, AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error("later")), 5);
  await expect(orAborted(never, controller.signal)).rejects.toThrow("later");
});

it("passes items on, closes the iterable when the reader leaves, and ends a hanging one on abort", async () => {
  let closed = 0;
  async function* numbers(): AsyncGenerator<number> {
    try {
      yield 1;
      yield 2;
      await never;
    } finally {
      closed += 1;
    }
  }
  const seen: number[] = [];
  for await (const value of untilAborted(numbers(), new AbortController().signal)) {
    seen.push(value);
    if (value === 2) break;
  }
  expect(seen).toEqual([1, 2]);
  expect(closed).toBe(1);
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error("stop")), 5);
  await expect(
    (async () => {
      for await (const value of untilAborted(numbers(), controller.signal)) seen.push(value);
    })(),
  ).rejects.toThrow("stop");
  expect(seen).toEqual([1, 2, 1, 2]);
});
