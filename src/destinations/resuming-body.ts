import { Readable } from "node:stream";
import { createAttempts } from "./attempts.ts";

export interface ResumingOptions {
  readonly signal: AbortSignal;
  /** Bytes that the first stream will give; undefined: whatever comes until it ends. */
  readonly lengthBytes: number | undefined;
  /** Opens the object again, `sent` bytes further on; must fail when it is not the same object any more. */
  reopen(sent: number): Promise<Readable>;
  translate(thrown: unknown): Error;
  /** Give up when nothing came for this long. */
  readonly silenceMs?: number | undefined;
}

/** A download that goes on where it was when its connection is cut. Ends with an error unless every byte came. */
export function resumingBody(first: Readable, options: ResumingOptions): Readable {
  const { signal } = options;
  let current = guarded(first);
  const pieces = piecesOf(
    () => current,
    (next) => (current = guarded(next)),
    options,
  );
  const body = new Readable({
    read() {
      pieces.next().then(
        ({ value, done }) => body.push(done === true ? null : value),
        (error: unknown) => body.destroy(error as Error),
      );
    },
    destroy(error, done) {
      signal.removeEventListener("abort", onAbort);
      current.destroy();
      done(error);
    },
  });
  const onAbort = (): void => void body.destroy(signal.reason as Error);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return body;
}

async function* piecesOf(
  current: () => Readable,
  replace: (next: Readable) => void,
  options: ResumingOptions,
): AsyncGenerator<Uint8Array, undefined, undefined> {
  const { signal, lengthBytes, silenceMs } = options;
  const attempts = createAttempts({ signal, ...(silenceMs === undefined ? {} : { silenceMs }) });
  let sent = 0;
  let pieces = iteratorOf(current());
  let ahead: IteratorResult<Uint8Array, unknown> | undefined;
  const nextOf = async (from: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array, unknown>> => {
    const next = await from.next();
    if (next.done === true && lengthBytes !== undefined && sent < lengthBytes)
      throw Object.assign(new Error("aborted"), { code: "ECONNRESET" });
    return next;
  };
  while (true) {
    try {
      const next = ahead ?? (await nextOf(pieces));
      ahead = undefined;
      if (next.done === true) return undefined;
      sent += next.value.byteLength;
      attempts.progressed();
      yield next.value;
    } catch (error) {
      signal.throwIfAborted();
      if (sent === lengthBytes) return undefined;
      const failure = options.translate(error);
      ahead = await attempts.call(async (attempt) => {
        // The cut counts as the first call, so that a wait comes before the next one.
        if (attempt === 1) throw failure;
        try {
          replace(await options.reopen(sent));
          pieces = iteratorOf(current());
          // A store that answers and then gives nothing is as good as none.
          return await nextOf(pieces);
        } catch (again) {
          throw options.translate(again);
        }
      });
    }
  }
}

function iteratorOf(stream: Readable): AsyncIterator<Uint8Array, unknown> {
  return stream[Symbol.asyncIterator]();
}

/** An error before anybody reads must not end the process; whoever reads gets it all the same. */
function guarded(stream: Readable): Readable {
  stream.on("error", () => undefined);
  return stream;
}
