import { Readable } from "node:stream";

const SLICE_BYTES = 256 * 1024;
/** By then the buffers of the kernel and of proxies are full: what still moves is taken by the store. */
const SURELY_TAKEN_MS = 10_000;

/** As much of an SDK command as is needed here. */
interface Command {
  readonly middlewareStack: {
    add(
      middleware: (
        next: (args: { request: unknown }) => Promise<unknown>,
      ) => (args: { request: unknown }) => Promise<unknown>,
      options: { readonly step: "deserialize"; readonly priority: "low"; readonly name: string },
    ): void;
  };
}

/**
 * Has a command send its body in small pieces, each when the socket has taken the one before. As one buffer it would be
 * copied whole, encrypted, and a slow connection would look like a silent one. `onMoved` is told while bytes flow.
 */
export function sendInSlices(command: object, bytes: Buffer, onMoved: () => void): void {
  if (bytes.byteLength <= SLICE_BYTES) return;
  // After signing: the SDK signs the buffer, and never sees a stream.
  (command as Command).middlewareStack.add(
    (next) => async (args) => {
      (args.request as { body: unknown }).body = slicesOf(bytes, onMoved);
      return await next(args);
    },
    { step: "deserialize", priority: "low", name: "sendInSlices" },
  );
}

function slicesOf(bytes: Buffer, onMoved: () => void): Readable {
  const startedAt = performance.now();
  let at = 0;
  return new Readable({
    highWaterMark: SLICE_BYTES,
    read() {
      if (at > 0 && performance.now() - startedAt > SURELY_TAKEN_MS) onMoved();
      const slice = bytes.subarray(at, at + SLICE_BYTES);
      at += slice.byteLength;
      this.push(slice.byteLength === 0 ? null : slice);
    },
  });
}
