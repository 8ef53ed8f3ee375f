import { expect, it } from "vitest";
import { bufferSource } from "../destinations/buffer-source.ts";
import { failureOf } from "../../test/conformance/harness.ts";
import { sampleBytes } from "../../test/conformance/sources.ts";
import { createUploadLimit, limited } from "./upload-limit.ts";

const bytes = sampleBytes(300_000);

async function drain(limit: ReturnType<typeof createUploadLimit>, signal: AbortSignal): Promise<number> {
  let sizeBytes = 0;
  for await (const chunk of limited(bufferSource(bytes), limit).read(0, signal)) sizeBytes += chunk.byteLength;
  return sizeBytes;
}

it("holds all sources together to its rate, and gives every byte", async () => {
  const limit = createUploadLimit(1_000_000);
  const { signal } = new AbortController();
  const began = performance.now();
  expect(await Promise.all([drain(limit, signal), drain(limit, signal)])).toEqual([300_000, 300_000]);
  const tookMs = performance.now() - began;
  // 600,000 bytes, the last piece of 64 kB is not waited for.
  expect(tookMs).toBeGreaterThan(450);
});

it("is none for 0, and its waits end with an abort", async () => {
  expect(createUploadLimit(0)).toBeUndefined();
  expect(createUploadLimit(undefined)).toBeUndefined();
  const source = bufferSource(bytes);
  expect(limited(source, undefined)).toBe(source);
  const controller = new AbortController();
  const slow = failureOf(drain(createUploadLimit(1_000), controller.signal));
  setTimeout(() => controller.abort(new Error("stop")), 20);
  const began = performance.now();
  expect(await slow).toHaveProperty("message", "stop");
  expect(performance.now() - began).toBeLessThan(1_000);
});
