import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { orAborted } from "../lib/abortable.ts";
import { DestinationError } from "../lib/errors.ts";
import type { ArchiveFacts, ArchiveReader } from "./reader.ts";

/** A file that one writer appends to while any number of readers follow it, each at its own pace. */
export interface GrowingFile {
  readonly finished: Promise<ArchiveFacts>;
  openReader(): ArchiveReader;
  /** What the file has now. */
  sizeBytes(): Promise<number>;
  /** So many bytes are in the file now. */
  grew(totalBytes: number): void;
  complete(facts: ArchiveFacts): void;
  /** All readers, also later ones, fail with this. */
  fail(error: unknown): void;
  /** Ends reading; readers that are not done fail. */
  close(): Promise<void>;
}

const CHUNK_BYTES = 512 * 1024;

/** `path` is opened once, so a later rename or removal does not disturb readers. */
export async function openGrowingFile(path: string, estimateBytes: number): Promise<GrowingFile> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  const finished = Promise.withResolvers<ArchiveFacts>();
  // Whoever awaits it hears of a failure; nobody has to.
  finished.promise.catch(() => undefined);
  let changed = Promise.withResolvers<void>();
  let availableBytes = 0;
  let facts: ArchiveFacts | undefined;
  let failure: { readonly error: unknown } | undefined;

  const wakeReaders = (): void => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  const fail = (error: unknown): void => {
    if (failure !== undefined) return;
    failure = { error };
    finished.reject(error);
    wakeReaders();
  };

  async function* read(offset: number, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    for (let at = offset; ;) {
      signal.throwIfAborted();
      if (failure !== undefined) throw failure.error;
      if (at < availableBytes) {
        const length = Math.min(CHUNK_BYTES, availableBytes - at);
        const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafeSlow(length), 0, length, at);
        if (bytesRead === 0)
          throw new DestinationError("unavailable", "the staged archive was truncated by another program");
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      } else if (facts !== undefined) {
        return;
      } else {
        await orAborted(changed.promise, signal);
      }
    }
  }

  return {
    finished: finished.promise,
    openReader: () => ({
      get sizeBytes() {
        return facts?.sizeBytes;
      },
      get estimateBytes() {
        return Math.max(estimateBytes, availableBytes);
      },
      // The whole file stays until it is discarded: a retry reads it again.
      firstByte: 0,
      finished: finished.promise,
      read,
      release() {},
      progressed() {},
      close() {},
    }),
    sizeBytes: async () => (await handle.stat()).size,
    grew(totalBytes) {
      availableBytes = totalBytes;
      wakeReaders();
    },
    complete(known) {
      if (failure !== undefined) return;
      facts = known;
      finished.resolve(known);
      wakeReaders();
    },
    fail,
    async close() {
      fail(new DestinationError("unavailable", "the staged archive was discarded"));
      await handle.close();
    },
  };
}
