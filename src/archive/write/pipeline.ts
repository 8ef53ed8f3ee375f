/** A block on its way: raw bytes in, archive bytes out. */
interface Job<T, Output> {
  readonly block: T;
  output: Output | undefined;
}

export interface Pipeline<T, Output> {
  /** Adds the next block; its compression starts as soon as one of the slots is free. */
  push(block: T): void;
  /** No block follows. */
  end(): void;
  /** Every current and later `take` rejects with this. The first failure counts. */
  fail(error: unknown): void;
  /** The next finished block, in the order of `push`; undefined after the last one. One caller at a time. */
  take(): Promise<{ readonly block: T; readonly output: Output } | undefined>;
}

/**
 * Runs up to `slots` compressions at the same time and gives their results in order. It is bounded by its caller, who
 * must not push more blocks than may wait.
 */
export function createPipeline<T, Output extends object>(
  compress: (block: T) => Promise<Output>,
  slots: number,
): Pipeline<T, Output> {
  const inOrder: Job<T, Output>[] = [];
  const waiting: Job<T, Output>[] = [];
  let running = 0;
  let ended = false;
  let failure: { readonly error: unknown } | undefined;
  let wake: () => void = () => undefined;

  const fail = (error: unknown): void => {
    failure ??= { error };
    waiting.length = 0;
    inOrder.length = 0;
    wake();
  };
  const startWaiting = (): void => {
    while (running < slots && failure === undefined) {
      const job = waiting.shift();
      if (job === undefined) return;
      running += 1;
      compress(job.block)
        .then((output) => {
          job.output = output;
          if (job === inOrder[0]) wake();
        }, fail)
        .finally(() => {
          running -= 1;
          startWaiting();
        });
    }
  };

  return {
    push(block) {
      if (failure !== undefined) return;
      const job: Job<T, Output> = { block, output: undefined };
      inOrder.push(job);
      waiting.push(job);
      startWaiting();
    },
    end() {
      ended = true;
      wake();
    },
    fail,
    async take() {
      while (true) {
        if (failure !== undefined) throw failure.error;
        const first = inOrder[0];
        if (first?.output !== undefined) {
          inOrder.shift();
          return { block: first.block, output: first.output };
        }
        if (first === undefined && ended) return undefined;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
