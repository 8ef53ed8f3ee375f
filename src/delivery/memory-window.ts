import { orAborted } from "../lib/abortable.ts";
import { sleep } from "../lib/clock.ts";
import { formatBytes, formatSpan } from "../lib/bytes.ts";
import { DestinationError } from "../lib/errors.ts";
import { createMemorySlots } from "./memory-slots.ts";
import type { ArchiveFacts, ArchiveReader } from "./reader.ts";

/** A reader that holds up others is dropped when it takes nothing for this long. */
export const STALLED_MS = 60_000;
/** What is given to a reader at once, and becomes free at once; smaller windows have smaller ones. */
const SLOT_BYTES = 1024 * 1024;

export interface WindowOptions {
  /** Most that is held; a write waits while there is no room. */
  readonly limitBytes: number;
  /** What the archive may become; 0: unknown. */
  readonly estimateBytes: number;
  readonly stalledMs?: number;
  /** Milliseconds on a steady clock; tests bring their own. */
  now?(): number;
}

/** The last bytes of an archive that one writer makes and several readers take, each at its own pace. */
export interface MemoryWindow {
  readonly finished: Promise<ArchiveFacts>;
  /** Readers are opened before the first write: one that comes later finds only what is still held. */
  openReader(): ArchiveReader;
  /** Copies. Waits for room, so for the slowest reader. Rejects with `NobodyReads` once no reader is left. */
  write(chunk: Uint8Array, signal: AbortSignal): Promise<void>;
  complete(facts: ArchiveFacts): void;
  /** All readers, also later ones, fail with this. */
  fail(error: unknown): void;
}

/** Every delivery has ended before the archive was complete: making the rest of it would help nobody. */
export class NobodyReads extends Error {
  constructor() {
    super("no destination takes the archive any more");
    this.name = "NobodyReads";
  }
}

interface View {
  /** The reader gave up everything below. */
  released: number;
  /** Where its reading stands now. */
  readonly cursors: Set<{ at: number }>;
  lastAt: number;
  /** The furthest that was read, and that was given up: what is sent again moves nothing on. */
  furthestRead: number;
  furthestReleased: number;
  progressedAtMs: number;
  failure: { readonly error: unknown } | undefined;
}

/**
 * Of what a reader has read but not released, the last half of the window is held for it: enough to send again what a
 * store had not confirmed, and a reader that never releases anything (a single request body) still moves on.
 */
export function createMemoryWindow(options: WindowOptions): MemoryWindow {
  const { limitBytes } = options;
  const stalledMs = options.stalledMs ?? STALLED_MS;
  const now = options.now ?? (() => performance.now());
  const resendBytes = Math.floor(limitBytes / 2);
  const slots = createMemorySlots(limitBytes, Math.max(1, Math.min(SLOT_BYTES, Math.floor(limitBytes / 16))));
  const finished = Promise.withResolvers<ArchiveFacts>();
  // Whoever awaits it hears of a failure; nobody has to.
  finished.promise.catch(() => undefined);
  const views = new Set<View>();
  let facts: ArchiveFacts | undefined;
  let failure: { readonly error: unknown } | undefined;
  let hadReader = false;
  let grew = Promise.withResolvers<void>();
  let moved = Promise.withResolvers<void>();

  const wakeReaders = (): void => {
    grew.resolve();
    grew = Promise.withResolvers<void>();
  };
  const wakeWriter = (): void => {
    moved.resolve();
    moved = Promise.withResolvers<void>();
  };
  /** The lowest byte that may still be asked for. */
  const floorOf = (view: View): number => {
    let lowest = view.cursors.size === 0 ? view.lastAt : Number.POSITIVE_INFINITY;
    for (const { at } of view.cursors) lowest = Math.min(lowest, at);
    return Math.max(view.released, lowest - resendBytes);
  };
  const dropTaken = (): void => {
    let floor = slots.endByte;
    let released = slots.endByte;
    for (const view of views) {
      floor = Math.min(floor, floorOf(view));
      released = Math.min(released, view.released);
    }
    slots.dropBelow(floor, released);
  };
  /** Drops readers that keep others waiting; returns when to look again, 0 where one was dropped. */
  const dropStalled = (blockedSinceMs: number): number => {
    let nextMs = Number.POSITIVE_INFINITY;
    const blocking = [...views]
      .filter((view) => floorOf(view) < slots.firstSlotEnd)
      .toSorted((a, b) => a.progressedAtMs - b.progressedAtMs);
    for (const view of blocking) {
      const leftMs = Math.max(view.progressedAtMs, blockedSinceMs) + stalledMs - now();
      // The last one holds up nobody but itself; its own limits end it.
      if (leftMs <= 0 && views.size > 1) {
        view.failure = { error: stalledError(stalledMs, limitBytes) };
        views.delete(view);
        wakeReaders();
        nextMs = 0;
      } else nextMs = Math.min(nextMs, Math.max(leftMs, 1));
    }
    return nextMs;
  };

  async function makeRoom(signal: AbortSignal): Promise<void> {
    const blockedSinceMs = now();
    while (true) {
      signal.throwIfAborted();
      if (failure !== undefined) throw failure.error;
      if (hadReader && views.size === 0) throw new NobodyReads();
      if (slots.roomBytes > 0) return;
      dropTaken();
      if (slots.roomBytes > 0) return;
      const waitMs = dropStalled(blockedSinceMs);
      if (waitMs === 0) continue;
      const timer = new AbortController();
      try {
        const wake = moved.promise;
        await Promise.race([
          orAborted(wake, signal),
          waitMs === Number.POSITIVE_INFINITY ? wake : sleep(waitMs, timer.signal).catch(() => undefined),
        ]);
      } finally {
        timer.abort();
      }
    }
  }

  function requireHeld(offset: number): void {
    if (offset >= slots.firstByte) return;
    throw new DestinationError(
      "unavailable",
      `the archive can't be sent again from byte ${offset}: the memory window holds only what follows byte ${slots.firstByte}`,
      { hint: "set BACKUP_STAGING=disk, so that an upload can begin anew", isFinal: true },
    );
  }

  async function* read(view: View, offset: number, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    signal.throwIfAborted();
    const failedBefore = view.failure ?? failure;
    if (failedBefore !== undefined) throw failedBefore.error;
    requireHeld(offset);
    // A delivery that begins anew takes back what an earlier attempt gave up, as far as it is still here.
    view.released = Math.min(view.released, offset);
    const cursor = { at: offset };
    view.cursors.add(cursor);
    try {
      while (true) {
        signal.throwIfAborted();
        const failed = view.failure ?? failure;
        if (failed !== undefined) throw failed.error;
        if (cursor.at < slots.endByte) {
          requireHeld(cursor.at);
          const piece = slots.at(cursor.at);
          cursor.at += piece.byteLength;
          yield piece;
          if (cursor.at > view.furthestRead) {
            view.furthestRead = cursor.at;
            view.progressedAtMs = now();
          }
          wakeWriter();
        } else if (facts !== undefined) {
          return;
        } else {
          await orAborted(grew.promise, signal);
        }
      }
    } finally {
      view.lastAt = cursor.at;
      view.cursors.delete(cursor);
    }
  }

  return {
    finished: finished.promise,
    openReader() {
      hadReader = true;
      const view: View = {
        released: 0,
        cursors: new Set(),
        lastAt: 0,
        furthestRead: 0,
        furthestReleased: 0,
        progressedAtMs: now(),
        failure: undefined,
      };
      views.add(view);
      return {
        get sizeBytes() {
          return facts?.sizeBytes;
        },
        get estimateBytes() {
          return Math.max(options.estimateBytes, slots.endByte);
        },
        get firstByte() {
          return slots.firstByte;
        },
        finished: finished.promise,
        read: (offset, signal) => read(view, offset, signal),
        release(offset) {
          if (offset <= view.released) return;
          view.released = offset;
          if (offset > view.furthestReleased) {
            view.furthestReleased = offset;
            view.progressedAtMs = now();
          }
          wakeWriter();
        },
        hold() {
          view.released = Math.min(view.released, slots.firstByte);
          view.lastAt = view.released;
        },
        progressed() {
          view.progressedAtMs = now();
        },
        close() {
          if (views.delete(view)) wakeWriter();
        },
      };
    },
    async write(chunk, signal) {
      for (let at = 0; at < chunk.byteLength;) {
        await makeRoom(signal);
        at += slots.add(chunk.subarray(at));
        wakeReaders();
      }
    },
    complete(known) {
      if (failure !== undefined) return;
      facts = known;
      finished.resolve(known);
      wakeReaders();
    },
    fail(error) {
      if (failure !== undefined) return;
      failure = { error };
      slots.clear();
      finished.reject(error);
      wakeReaders();
      wakeWriter();
    },
  };
}

function stalledError(stalledMs: number, limitBytes: number): DestinationError {
  return new DestinationError(
    "unavailable",
    `took nothing for ${formatSpan(stalledMs)} while other destinations waited for it`,
    {
      hint: `the memory window of ${formatBytes(limitBytes)} goes as slow as its slowest reader; BACKUP_STAGING=disk lets each go at its own pace`,
      isFinal: true,
    },
  );
}
