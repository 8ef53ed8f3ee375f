/** Rejects with the signal's reason as soon as it aborts, whatever `promise` does; otherwise settles as `promise`. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    const stopListening = (): void => signal.removeEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(stopListening);
  });
}

/**
 * The same items, but an abort ends a wait for the next one even where the iterable itself ignores signals. The
 * iterable is closed either way, without waiting for one that hangs.
 */
export async function* untilAborted<T>(items: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void, void> {
  const iterator = items[Symbol.asyncIterator]();
  let ended = false;
  try {
    while (true) {
      const next = await orAborted(iterator.next(), signal);
      if (next.done === true) {
        ended = true;
        return;
      }
      yield next.value;
    }
  } finally {
    // A failure while closing has no one to tell: the consumer already has its outcome.
    if (!ended) iterator.return?.().catch(() => undefined);
  }
}
