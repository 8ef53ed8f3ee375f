import { describe, expect, it } from "vitest";
import { failureOf } from "../../test/conformance/harness.ts";
import { sampleBytes, sha256 } from "../../test/conformance/sources.ts";
import { sleep } from "../lib/clock.ts";
import { createMemoryWindow, type MemoryWindow, NobodyReads } from "./memory-window.ts";
import type { ArchiveReader } from "./reader.ts";

const bytes = sampleBytes(1_000_000, 4);
const facts = { sizeBytes: bytes.byteLength, sha256: sha256(bytes) };
const { signal } = new AbortController();
const LIMIT = 100_000;

const windowOf = (more: { stalledMs?: number } = {}): MemoryWindow =>
  createMemoryWindow({ limitBytes: LIMIT, estimateBytes: 0, ...more });

/** Writes everything in pieces of 7,000 bytes; tells how far it came. */
async function fill(window: MemoryWindow, at = { bytes: 0 }): Promise<void> {
  for (; at.bytes < bytes.byteLength; at.bytes += 7_000)
    await window.write(bytes.subarray(at.bytes, at.bytes + 7_000), signal);
  window.complete(facts);
}

async function readAll(reader: ArchiveReader, pauseMs = 0, offset = 0): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of reader.read(offset, signal)) {
    chunks.push(chunk);
    if (pauseMs > 0) await sleep(pauseMs);
  }
  return Buffer.concat(chunks);
}

describe("the memory window", () => {
  it("gives all bytes to readers of different speeds and waits for the slowest", async () => {
    const window = windowOf();
    const readers = [window.openReader(), window.openReader(), window.openReader()];
    const at = { bytes: 0 };
    let seen = 0;
    let furthestAhead = 0;
    const slow = (async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of readers[2]?.read(0, signal) ?? []) {
        chunks.push(chunk);
        seen += chunk.byteLength;
        await sleep(1);
        furthestAhead = Math.max(furthestAhead, at.bytes - seen);
      }
      return Buffer.concat(chunks);
    })();
    const [first, second, third] = await Promise.all([
      ...readers.slice(0, 2).map((reader) => readAll(reader)),
      slow,
      fill(window, at),
    ]);
    for (const read of [first, second, third]) expect(sha256(read ?? Buffer.alloc(0))).toBe(facts.sha256);
    expect(furthestAhead).toBeGreaterThan(0);
    expect(furthestAhead).toBeLessThanOrEqual(LIMIT);
    expect(await readers[0]?.finished).toEqual(facts);
    expect(readers[0]?.sizeBytes).toBe(facts.sizeBytes);
  });

  it("sends again what was not released, up to half of itself, and says clearly what is gone", async () => {
    const window = windowOf();
    const reader = window.openReader();
    const filled = fill(window);
    let read = 0;
    for await (const chunk of reader.read(0, signal)) {
      read += chunk.byteLength;
      if (read > 500_000) break;
    }
    const again = reader.read(read - LIMIT / 2, signal)[Symbol.asyncIterator]();
    const { value } = await again.next();
    await again.return?.();
    expect(Buffer.compare(bytes.subarray(read - LIMIT / 2, read - LIMIT / 2 + (value?.length ?? 0)), value ?? [])).toBe(
      0,
    );
    expect(reader.firstByte).toBeGreaterThan(read - LIMIT);
    expect(await failureOf(readAll(reader))).toMatchObject({
      code: "unavailable",
      isFinal: true,
      message: expect.stringMatching(/can't be sent again from byte 0: .* holds only what follows byte \d+/),
      hint: expect.stringContaining("BACKUP_STAGING=disk"),
    });
    expect(sha256(Buffer.concat([bytes.subarray(0, read), await readAll(reader, 0, read)]))).toBe(facts.sha256);
    await filled;
  });

  it("can be read from its beginning again while it has not moved", async () => {
    const window = windowOf();
    const reader = window.openReader();
    const small = sampleBytes(LIMIT / 2);
    await window.write(small, signal);
    window.complete({ sizeBytes: small.byteLength, sha256: sha256(small) });
    expect((await readAll(reader)).equals(small)).toBe(true);
    reader.release(small.byteLength);
    expect(reader.firstByte).toBe(0);
    expect((await readAll(reader)).equals(small)).toBe(true);
  });

  it("keeps what is still there for a delivery that begins anew", async () => {
    const window = windowOf();
    const reader = window.openReader();
    const filled = fill(window);
    let read = 0;
    for await (const chunk of reader.read(0, signal)) if ((read += chunk.byteLength) >= LIMIT / 2) break;
    reader.release(read);
    expect(reader.firstByte).toBe(0);
    reader.hold();
    // The writer looks for room meanwhile.
    await sleep(10);
    expect(sha256(await readAll(reader))).toBe(facts.sha256);
    await filled;
  });

  it("drops a reader that holds up another one, and only then", async () => {
    const window = windowOf({ stalledMs: 40 });
    const [stalled, live] = [window.openReader(), window.openReader()];
    const began = stalled.read(0, signal)[Symbol.asyncIterator]();
    const [all] = await Promise.all([readAll(live), fill(window), began.next()]);
    expect(sha256(all)).toBe(facts.sha256);
    expect(await failureOf(began.next())).toMatchObject({
      code: "unavailable",
      isFinal: true,
      message: expect.stringContaining("took nothing for 40ms while other destinations waited"),
    });

    const alone = windowOf({ stalledMs: 10 });
    const only = alone.openReader();
    const filling = fill(alone);
    await sleep(100);
    expect(sha256(await readAll(only))).toBe(facts.sha256);
    await filling;
  });

  it("drops one that begins anew again and again and comes no further", async () => {
    const window = windowOf({ stalledMs: 40 });
    const [again, live] = [window.openReader(), window.openReader()];
    const retried = failureOf(
      (async () => {
        while (true) {
          let pieces = 0;
          for await (const chunk of again.read(0, signal)) if (chunk.byteLength > 0 && (pieces += 1) === 2) break;
          await sleep(1);
        }
      })(),
    );
    const [all] = await Promise.all([readAll(live), fill(window)]);
    expect(sha256(all)).toBe(facts.sha256);
    expect(await retried).toMatchObject({ message: expect.stringContaining("took nothing for 40ms") });
  });

  it("goes on without a reader that has ended, and ends when none is left", async () => {
    const window = windowOf();
    const [one, two] = [window.openReader(), window.openReader()];
    const filled = failureOf(fill(window));
    one.close();
    for await (const chunk of two.read(0, signal)) if (chunk.byteLength > 0) break;
    two.close();
    expect(await filled).toBeInstanceOf(NobodyReads);
  });

  it("ends a write and a read when they are aborted", async () => {
    const window = windowOf();
    window.openReader();
    const controller = new AbortController();
    const write = failureOf(window.write(bytes.subarray(0, 2 * LIMIT), controller.signal));
    const reading = failureOf(
      (async () => {
        for await (const _chunk of windowOf().openReader().read(0, controller.signal))
          throw new Error("nothing is there");
      })(),
    );
    setTimeout(() => controller.abort(new Error("stop")), 10);
    expect(await write).toHaveProperty("message", "stop");
    expect(await reading).toHaveProperty("message", "stop");
  });

  it("fails every reader, also a later one, with what the archive failed with", async () => {
    const window = windowOf();
    const [one, two] = [window.openReader(), window.openReader()];
    await window.write(bytes.subarray(0, 5_000), signal);
    const reading = failureOf(readAll(one, 1));
    await sleep(20);
    window.fail(new Error("the worker died"));
    expect(await reading).toHaveProperty("message", "the worker died");
    expect(await failureOf(readAll(two))).toHaveProperty("message", "the worker died");
    expect(await failureOf(two.finished)).toHaveProperty("message", "the worker died");
    expect(await failureOf(window.write(bytes.subarray(0, LIMIT), signal))).toHaveProperty(
      "message",
      "the worker died",
    );
  });
});
