import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { brokenSource, growingSource, hangingSource, sampleBytes } from "../../test/conformance/sources.ts";
import { sleep } from "../lib/clock.ts";
import { bufferSource } from "./buffer-source.ts";
import type { PartPlan } from "./part-plan.ts";
import { type Part, sendInParts } from "./send-parts.ts";

const PART = 1_000;
const plan: PartPlan = { sizeOf: () => PART, buffersOf: () => 3 };
const signal = AbortSignal.timeout(30_000);

/** What arrived, put together by offset. */
function collector() {
  const parts: { number: number; offset: number; bytes: Buffer; isOnly: boolean }[] = [];
  let inFlight = 0;
  let most = 0;
  return {
    parts,
    most: () => most,
    async send({ number, offset, bytes, isOnly, md5 }: Part): Promise<void> {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await sleep(Math.random() * 5);
      expect(md5.equals(createHash("md5").update(bytes).digest())).toBe(true);
      parts.push({ number, offset, bytes: Buffer.from(bytes), isOnly });
      inFlight -= 1;
    },
    whole: () => Buffer.concat(parts.toSorted((a, b) => a.number - b.number).map((part) => part.bytes)),
  };
}

describe("cutting", () => {
  it.each([0, 1, PART - 1, PART, PART + 1, 2 * PART, 7 * PART, 7 * PART + 13])("%i bytes", async (sizeBytes) => {
    for (const source of [bufferSource, (bytes: Buffer) => growingSource(bytes, 333, 0)]) {
      const bytes = sampleBytes(sizeBytes);
      const sink = collector();
      let released = 0;
      let counted = 0;
      const body = source(bytes);
      const watched = {
        ...body,
        estimateBytes: 0,
        sizeBytes: body.sizeBytes,
        release: (offset: number) => void (released = offset),
      };
      const sent = await sendInParts(watched, plan, {
        signal,
        send: sink.send,
        onBytes: (chunk) => void (counted += chunk.byteLength),
      });
      expect(sent).toBe(sizeBytes);
      expect(counted).toBe(sizeBytes);
      expect(released).toBe(sizeBytes);
      expect(sink.whole().equals(bytes)).toBe(true);
      expect(sink.parts).toHaveLength(Math.max(1, Math.ceil(sizeBytes / PART)));
      expect(sink.parts.every((part) => part.isOnly === sizeBytes <= PART)).toBe(true);
      expect(sink.most()).toBeLessThanOrEqual(3);
    }
  });
});

describe("failures", () => {
  it("the first one is the one that is told, and the others are aborted", async () => {
    let aborted = 0;
    const sending = sendInParts(bufferSource(sampleBytes(50 * PART)), plan, {
      signal,
      async send(part, partSignal) {
        if (part.number === 2) throw new Error("part 2");
        await sleep(10_000, partSignal).catch(() => {
          aborted += 1;
          throw new Error("aborted");
        });
      },
    });
    await expect(sending).rejects.toThrow("part 2");
    expect(aborted).toBeGreaterThan(0);
  });

  it("the source's own error comes through", async () => {
    const sending = sendInParts(brokenSource(3 * PART, new Error("engine broke")), plan, {
      signal,
      send: collector().send,
    });
    await expect(sending).rejects.toThrow("engine broke");
  });

  it("a source that hangs and ignores aborts is not waited for", async () => {
    const controller = new AbortController();
    const body = hangingSource(3 * PART, () => controller.abort(new Error("stop")), "nothing");
    const sending = sendInParts(body, plan, { signal: controller.signal, send: collector().send });
    await expect(sending).rejects.toThrow("stop");
  });

  it("a failed part ends the wait for a source that hangs", async () => {
    const body = hangingSource(3 * PART, () => undefined, "nothing");
    const sending = sendInParts(body, plan, { signal, send: () => Promise.reject(new Error("refused")) });
    await expect(sending).rejects.toThrow("refused");
  });
});
