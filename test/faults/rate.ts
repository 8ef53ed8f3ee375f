import { sleep } from "../../src/lib/clock.ts";

/** A number of bytes per second that all who share it keep together. */
export interface Rate {
  /** The same bytes in small pieces, each at its time. */
  paced(bytes: Buffer): AsyncIterable<Buffer>;
}

const PIECE_BYTES = 16 * 1024;

export function createRate(bytesPerSecond: number): Rate {
  let nextAt = performance.now();
  return {
    async *paced(bytes) {
      for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) {
        const piece = bytes.subarray(at, at + PIECE_BYTES);
        const now = performance.now();
        nextAt = Math.max(nextAt, now) + (piece.byteLength * 1_000) / bytesPerSecond;
        // Timers are coarse: only a wait worth having is waited for.
        if (nextAt - now > 5) await sleep(nextAt - now);
        yield piece;
      }
    },
  };
}
