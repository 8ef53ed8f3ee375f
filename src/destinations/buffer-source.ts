import { createHash } from "node:crypto";
import type { ArchiveSource } from "../contracts/archive.ts";

const CHUNK_BYTES = 256 * 1024;

/** A small object (a record, a probe) as a source: complete from the start, readable any number of times. */
export function bufferSource(bytes: Uint8Array): ArchiveSource {
  const sizeBytes = bytes.byteLength;
  return {
    sizeBytes,
    estimateBytes: sizeBytes,
    finished: Promise.resolve({ sizeBytes, sha256: createHash("sha256").update(bytes).digest("hex") }),
    async *read(offset, signal) {
      for (let at = offset; at < sizeBytes; at += CHUNK_BYTES) {
        signal.throwIfAborted();
        yield bytes.subarray(at, Math.min(at + CHUNK_BYTES, sizeBytes));
      }
    },
    release() {
      // Nothing to free: the buffer lives as long as its source.
    },
  };
}
