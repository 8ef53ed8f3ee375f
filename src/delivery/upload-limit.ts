import type { ArchiveSource } from "../contracts/archive.ts";
import { sleep } from "../lib/clock.ts";

/** `UPLOAD_LIMIT`: what all deliveries together may take out of their sources. */
export interface UploadLimit {
  /** The same bytes, in pieces small enough to flow evenly. */
  slowed(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Ten pieces a second keep a connection from looking idle; larger ones would only come in bursts. */
const PIECES_PER_SECOND = 10;
const SMALLEST_PIECE_BYTES = 1024;
const LARGEST_PIECE_BYTES = 64 * 1024;
/** What was not used may be used later, so that a pause costs nothing; no more than this. */
const BURST_MS = 250;

/** No limit where `bytesPerSecond` is 0 or undefined. */
export function createUploadLimit(bytesPerSecond: number | undefined): UploadLimit | undefined {
  if (bytesPerSecond === undefined || bytesPerSecond <= 0) return undefined;
  const pieceBytes = Math.round(
    Math.min(LARGEST_PIECE_BYTES, Math.max(SMALLEST_PIECE_BYTES, bytesPerSecond / PIECES_PER_SECOND)),
  );
  /** When the bytes that were given out so far are paid for: whoever asks next waits until then, in the order of asking. */
  let paidAtMs = performance.now();
  const turn = async (bytes: number, signal: AbortSignal): Promise<void> => {
    const nowMs = performance.now();
    paidAtMs = Math.max(paidAtMs, nowMs - BURST_MS);
    const waitMs = paidAtMs - nowMs;
    paidAtMs += (bytes / bytesPerSecond) * 1000;
    if (waitMs > 0) await sleep(waitMs, signal);
  };
  return {
    async *slowed(bytes, signal) {
      for await (const chunk of bytes) {
        for (let at = 0; at < chunk.byteLength; at += pieceBytes) {
          const piece = chunk.subarray(at, at + pieceBytes);
          await turn(piece.byteLength, signal);
          yield piece;
        }
      }
    },
  };
}

/** `source` as one delivery reads it under the limit. */
export function limited(source: ArchiveSource, limit: UploadLimit | undefined): ArchiveSource {
  if (limit === undefined) return source;
  return {
    get sizeBytes() {
      return source.sizeBytes;
    },
    get estimateBytes() {
      return source.estimateBytes;
    },
    finished: source.finished,
    read: (offset, signal) => limit.slowed(source.read(offset, signal), signal),
    release: (offset) => source.release(offset),
  };
}
