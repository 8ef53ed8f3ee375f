import { createHash } from "node:crypto";
import type { ArchiveSource } from "../../src/contracts/archive.ts";
import { orAborted } from "../../src/lib/abortable.ts";
import { sleep } from "../../src/lib/clock.ts";

/** Bytes that repeat nowhere soon, the same for the same seed. */
export function sampleBytes(sizeBytes: number, seed = 1): Buffer {
  const out = Buffer.allocUnsafe(sizeBytes);
  let state = seed >>> 0 || 1;
  for (let at = 0; at < sizeBytes; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    out[at] = state >>> 24;
  }
  return out;
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** An archive whose size nobody knows before its end, arriving in pieces with pauses. */
export function growingSource(bytes: Buffer, pieceBytes = 300_000, pauseMs = 2): ArchiveSource {
  const facts = { sizeBytes: bytes.byteLength, sha256: sha256(bytes) };
  const done = Promise.withResolvers<typeof facts>();
  let sizeBytes: number | undefined;
  return {
    get sizeBytes() {
      return sizeBytes;
    },
    estimateBytes: 0,
    finished: done.promise,
    async *read(offset, signal) {
      for (let at = offset; at < bytes.byteLength; at += pieceBytes) {
        await sleep(pauseMs, signal);
        yield bytes.subarray(at, at + pieceBytes);
      }
      sizeBytes = bytes.byteLength;
      done.resolve(facts);
    },
    release() {
      // The whole buffer stays.
    },
  };
}

/** Gives some bytes, then fails as an archive does whose engine broke. */
export function brokenSource(bytesBefore: number, error: Error): ArchiveSource {
  const finished = Promise.reject(error);
  finished.catch(() => undefined);
  return {
    sizeBytes: undefined,
    estimateBytes: 0,
    finished,
    async *read() {
      yield sampleBytes(bytesBefore);
      throw error;
    },
    release() {
      // Nothing is kept.
    },
  };
}

/** Gives some bytes, tells that it did, then never goes on until it is aborted. */
export function hangingSource(
  bytesBefore: number,
  onHang: () => void,
  obeys: "signal" | "nothing" = "signal",
): ArchiveSource {
  const never = new Promise<never>(() => undefined);
  return {
    sizeBytes: undefined,
    estimateBytes: 0,
    finished: never,
    async *read(_offset, signal) {
      yield sampleBytes(bytesBefore);
      onHang();
      await (obeys === "signal" ? orAborted(never, signal) : never);
    },
    release() {
      // Nothing is kept.
    },
  };
}
