import { Readable } from "node:stream";
import { createAttempts } from "./attempts.ts";

export interface ResumingOptions {
  readonly signal: AbortSignal;
  /** Bytes that the first stream will give; undefined: whatever comes until it ends. */
  readonly lengthBytes: number | undefined;
  /** Opens the object again, `sent` bytes further on; must fail when it is not the same object any more. */
  reopen(sent: number): Promise<Readable>;
  translate(thrown: unknown): Error;
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
  const { signal, lengthBytes } = options;
  const attempts = createAttempts({ signal });
  let sent = 0;
  while (true) {
    try {
      for await (const chunk of current()) {
        const piece = chunk as Uint8Array;
        sent += piece.byteLength;
        attempts.progressed();
        yield piece;
      }
      if (lengthBytes === undefined || sent >= lengthBytes) return undefined;
      throw new Error("aborted");
    } catch (error) {
      signal.throwIfAborted();
      const failure = options.translate(error);
      await attempts.call(async (attempt) => {
        // The cut counts as the first call, so that a wait comes before the next one.
        if (attempt === 1) throw failure;
        try {
          replace(await options.reopen(sent));
        } catch (again) {
          throw options.translate(again);
        }
      });
    }
  }
}

/** An error before anybody reads must not end the process; whoever reads gets it all the same. */
function guarded(stream: Readable): Readable {
  stream.on("error", () => undefined);
  return stream;
}
