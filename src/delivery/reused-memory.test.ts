import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { sampleBytes, sha256 } from "../../test/conformance/sources.ts";
import { openGrowingFile } from "./growing-file.ts";
import { createMemoryWindow } from "./memory-window.ts";
import type { ArchiveReader } from "./reader.ts";

const { signal } = new AbortController();

/** The same numbers each time. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/**
 * Reads to the end as a delivery may: it holds on to every piece until it gives it up, gives up at random places, and now and
 * then begins anew further in front. Gives the number of pieces that were looked at; each must still be what the archive has there.
 */
async function readAndHold(reader: ArchiveReader, bytes: Buffer, random: (below: number) => number): Promise<number> {
  let held: { readonly at: number; readonly piece: Uint8Array }[] = [];
  let looks = 0;
  const look = (): void => {
    for (const { at, piece } of held) {
      if (bytes.compare(piece, 0, piece.byteLength, at, at + piece.byteLength) !== 0)
        throw new Error(`the piece at ${at} was written over`);
      looks += 1;
    }
  };
  let released = 0;
  for (let begin = 0; ;) {
    let at = begin;
    let isAtEnd = true;
    for await (const piece of reader.read(begin, signal)) {
      held.push({ at, piece });
      at += piece.byteLength;
      if (random(3) === 0) await new Promise((resolve) => void setImmediate(resolve));
      look();
      if (random(3) === 0) {
        released = Math.max(released, at - random(150_000));
        held = held.filter((each) => each.at + each.piece.byteLength > released);
        reader.release(released);
      }
      if (random(40) === 0) {
        isAtEnd = false;
        break;
      }
    }
    look();
    if (isAtEnd) return looks;
    begin = Math.max(reader.firstByte, at - random(120_000), 0);
    released = Math.min(released, begin);
    // A body that was cut off is not sent on.
    held = [];
  }
}

it("a memory window never writes over what a reader holds", { timeout: 60_000 }, async () => {
  const bytes = sampleBytes(1_500_000, 9);
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = randomOf(seed);
    const window = createMemoryWindow({ limitBytes: 200_000 + random(300_000), estimateBytes: 0 });
    const readers = Array.from({ length: 1 + random(3) }, () => window.openReader());
    const write = async (): Promise<void> => {
      for (let at = 0; at < bytes.byteLength;) {
        const piece = bytes.subarray(at, at + 1 + random(60_000));
        await window.write(piece, signal);
        at += piece.byteLength;
      }
      window.complete({ sizeBytes: bytes.byteLength, sha256: sha256(bytes) });
    };
    const [, ...looks] = await Promise.all([
      write(),
      ...readers.map((reader, at) => readAndHold(reader, bytes, randomOf(seed * 100 + at))),
    ]);
    expect(Math.min(...looks)).toBeGreaterThan(20);
  }
});

it("a growing file never writes over what a reader holds", { timeout: 60_000 }, async () => {
  const bytes = sampleBytes(6_000_000, 10);
  const folder = mkdtempSync(path.join(tmpdir(), "lifeboat-reused-"));
  try {
    const file = path.join(folder, "archive");
    writeFileSync(file, bytes);
    for (let seed = 1; seed <= 10; seed += 1) {
      const random = randomOf(seed);
      const growing = await openGrowingFile(file, 0);
      const grow = async (): Promise<void> => {
        for (let at = 0; at < bytes.byteLength;) {
          at = Math.min(bytes.byteLength, at + 1 + random(900_000));
          growing.grew(at);
          await new Promise((resolve) => void setImmediate(resolve));
        }
        growing.complete({ sizeBytes: bytes.byteLength, sha256: sha256(bytes) });
      };
      const reader = growing.openReader();
      const [looks] = await Promise.all([readAndHold(reader, bytes, randomOf(seed * 100)), grow()]);
      expect(looks).toBeGreaterThan(10);
      await growing.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
