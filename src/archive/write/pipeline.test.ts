import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createPipeline } from "./pipeline.ts";

/** Compressions that end when they are told to. */
function manual(slots: number) {
  const running = new Map<number, (output: Uint8Array) => void>();
  let most = 0;
  const pipeline = createPipeline<number, Uint8Array>(
    (block) =>
      new Promise((resolve) => {
        running.set(block, resolve);
        most = Math.max(most, running.size);
      }),
    slots,
  );
  const finish = (block: number): void => {
    running.get(block)?.(Uint8Array.of(block));
    running.delete(block);
  };
  return { pipeline, running, finish, most: () => most };
}

describe("a pipeline", () => {
  it("keeps the order, and no more than its slots busy", async () => {
    const { pipeline, running, finish, most } = manual(2);
    for (const block of [1, 2, 3, 4]) pipeline.push(block);
    pipeline.end();
    expect([...running.keys()]).toEqual([1, 2]);
    finish(2);
    await setImmediate();
    expect([...running.keys()]).toEqual([1, 3]);
    const first = pipeline.take();
    finish(1);
    expect((await first)?.output).toEqual(Uint8Array.of(1));
    expect((await pipeline.take())?.block).toBe(2);
    finish(3);
    await setImmediate();
    finish(4);
    expect((await pipeline.take())?.block).toBe(3);
    expect((await pipeline.take())?.block).toBe(4);
    expect(await pipeline.take()).toBeUndefined();
    expect(most()).toBe(2);
  });

  it("waits for blocks and for the end", async () => {
    const { pipeline, finish } = manual(1);
    const first = pipeline.take();
    await setImmediate();
    pipeline.push(7);
    finish(7);
    expect((await first)?.block).toBe(7);
    const end = pipeline.take();
    pipeline.end();
    expect(await end).toBeUndefined();
  });

  it("fails at once and for good, with the first error", async () => {
    const { pipeline } = manual(1);
    pipeline.push(1);
    const waiting = pipeline.take();
    pipeline.fail(new Error("first"));
    pipeline.fail(new Error("second"));
    await expect(waiting).rejects.toThrow("first");
    pipeline.push(2);
    await expect(pipeline.take()).rejects.toThrow("first");
  });

  it("fails where a compression fails", async () => {
    const pipeline = createPipeline<number, Uint8Array>(() => Promise.reject(new Error("broken")), 1);
    pipeline.push(1);
    await expect(pipeline.take()).rejects.toThrow("broken");
  });
});
