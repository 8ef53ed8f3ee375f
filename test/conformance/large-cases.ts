import { expect } from "vitest";
import { asArchive, type Case, hashOf, listAll, signal } from "./harness.ts";
import { generatedSource } from "./generated-source.ts";

const DEFAULT_PART_BYTES = 4 * 1024 * 1024;
const LARGE_BYTES = 300_000_000;
const LARGE_TIMEOUT_MS = 300_000;
/** Small enough that a store which keeps what it was given in memory shows itself, large enough for every part size. */
const WINDOW_BYTES = 64 * 1024 * 1024;

/** Bodies of several parts. Their bytes are made while they are read, so that a slow machine has the memory for them. */
export const largeCases: readonly Case[] = [
  {
    name: "stores exact multiples of the part size, and one byte more or less",
    timeoutMs: LARGE_TIMEOUT_MS,
    async run(destination, _store, spec) {
      const part = spec.partBytes ?? DEFAULT_PART_BYTES;
      for (const isLengthUnknown of [true, false]) {
        for (const sizeBytes of [part - 1, part, part + 1, 2 * part, 3 * part]) {
          const body = generatedSource(sizeBytes, { isLengthUnknown });
          const stored = await destination.put("multiple.tar", body, { ...asArchive(), signal: signal(120_000) });
          expect(stored.sizeBytes).toBe(sizeBytes);
          const read = await destination.get("archive", "multiple.tar", undefined, signal(120_000));
          expect(await hashOf(read)).toEqual({ sizeBytes, sha256: body.sha256 });
        }
      }
    },
  },
  {
    name: "stores 300 MB of unknown length through a window of 64 MB",
    timeoutMs: LARGE_TIMEOUT_MS,
    async run(destination) {
      const body = generatedSource(LARGE_BYTES, { windowBytes: WINDOW_BYTES });
      let lastSent = 0;
      const stored = await destination.put("large.tar.gz", body, {
        ...asArchive(),
        signal: signal(LARGE_TIMEOUT_MS),
        onProgress(sent) {
          expect(sent).toBeGreaterThanOrEqual(lastSent);
          lastSent = sent;
        },
      });
      expect(stored.sizeBytes).toBe(LARGE_BYTES);
      expect(lastSent).toBe(LARGE_BYTES);
      expect((await listAll(destination, "archive")).map((object) => object.sizeBytes)).toEqual([LARGE_BYTES]);
      const read = await destination.get("archive", "large.tar.gz", undefined, signal(LARGE_TIMEOUT_MS));
      expect(await hashOf(read)).toEqual({ sizeBytes: LARGE_BYTES, sha256: body.sha256 });
      const middle = await destination.get("archive", "large.tar.gz", { offset: 299_999_990, length: 100 }, signal());
      expect((await hashOf(middle)).sizeBytes).toBe(10);
    },
  },
];
