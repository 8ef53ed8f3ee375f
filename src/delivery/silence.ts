import type { ArchiveSource } from "../contracts/archive.ts";
import { formatSpan } from "../lib/bytes.ts";
import { DestinationError } from "../lib/errors.ts";

/** A store that stays silent is given up after this, all attempts together (`docs/destinations.md`). */
export const SILENT_MS = 240_000;

export interface SilenceWatch {
  /** What the delivery reads instead of `source`: while it waits for bytes that are not there yet, nobody is silent. */
  readonly source: ArchiveSource;
  /** Aborts with a `DestinationError` when the store gave no sign of life for too long; follows `signal` else. */
  readonly signal: AbortSignal;
  heard(): void;
  /** Stops watching; returns when the last sign of life was, on a steady clock in milliseconds. */
  end(): number;
}

export interface SilenceOptions {
  readonly limitMs?: number | undefined;
  /** Where an earlier attempt left off. Default: now. */
  readonly heardAtMs?: number;
}

/** The last resort behind each kind's own limits, so that no store whatsoever can keep a run from ending. */
export function watchSilence(source: ArchiveSource, signal: AbortSignal, options: SilenceOptions = {}): SilenceWatch {
  const limitMs = options.limitMs ?? SILENT_MS;
  const silent = new AbortController();
  let heardAtMs = options.heardAtMs ?? performance.now();
  let waitingForUs = 0;
  let timer: NodeJS.Timeout | undefined;
  const arm = (): void => {
    const leftMs = waitingForUs > 0 ? limitMs : heardAtMs + limitMs - performance.now();
    if (leftMs <= 0) {
      silent.abort(
        new DestinationError("unavailable", `gave no sign of life for ${formatSpan(limitMs)}`, { isFinal: true }),
      );
    } else {
      timer = setTimeout(arm, Math.max(leftMs, 10));
    }
  };
  const heard = (): void => {
    heardAtMs = performance.now();
  };
  arm();

  async function* read(offset: number, readSignal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    const iterator = source.read(offset, readSignal)[Symbol.asyncIterator]();
    try {
      while (true) {
        heard();
        waitingForUs += 1;
        const next = await iterator.next().finally(() => {
          waitingForUs -= 1;
          heard();
        });
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  return {
    source: {
      get sizeBytes() {
        return source.sizeBytes;
      },
      get estimateBytes() {
        return source.estimateBytes;
      },
      finished: source.finished,
      read,
      release: (offset) => source.release(offset),
    },
    signal: AbortSignal.any([signal, silent.signal]),
    heard,
    end() {
      clearTimeout(timer);
      return heardAtMs;
    },
  };
}
