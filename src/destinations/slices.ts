import { Readable } from "node:stream";

const SLICE_BYTES = 256 * 1024;
/** By then the buffers of the kernel and of proxies are full: what still moves is taken by the store. */
const SURELY_TAKEN_MS = 10_000;

export interface SliceListener {
  /** Bytes flow, if only into the buffers on the way. */
  moved?(): void;
  /** Bytes flow that the store takes: a sign of life. */
  taken?(): void;
}

/**
 * A body in small pieces, each given when the socket has taken the one before. As one buffer it would be encrypted as a
 * whole, in a copy, and a slow connection would look like a silent one.
 */
export function slicesOf(bytes: Buffer, listener: SliceListener = {}): Readable {
  const startedAt = performance.now();
  let at = 0;
  return new Readable({
    highWaterMark: SLICE_BYTES,
    read() {
      listener.moved?.();
      if (at > 0 && performance.now() - startedAt > SURELY_TAKEN_MS) listener.taken?.();
      const slice = bytes.subarray(at, at + SLICE_BYTES);
      at += slice.byteLength;
      this.push(slice.byteLength === 0 ? null : slice);
    },
  });
}
