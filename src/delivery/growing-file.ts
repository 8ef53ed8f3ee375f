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

/** What one reader was given and has not released, bytes of the file; older pieces are left to the garbage collector. */
const MOST_OUT = 16;

/** Memory for one reader's pieces, used again once it released them: see `createMemorySlots`. */
interface ReadBuffers {
  take(): Buffer;
  /** Handed out; what it holds ends at this byte of the file. */
  gave(buffer: Buffer, endByte: number): void;
  release(offset: number): void;
}

function createReadBuffers(): ReadBuffers {
  const free: Buffer[] = [];
  const out: { readonly buffer: Buffer; readonly endByte: number }[] = [];
  return {
    take: () => free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES),
    gave(buffer, endByte) {
      out.push({ buffer, endByte });
      if (out.length > MOST_OUT) out.shift();
    },
    release(offset) {
      for (let first = out[0]; first !== undefined && first.endByte <= offset; first = out[0]) {
        out.shift();
        free.push(first.buffer);
      }
    },
  };
}

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

  async function* read(
    buffers: ReadBuffers,
    offset: number,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, void> {
    for (let at = offset; ;) {
      signal.throwIfAborted();
      if (failure !== undefined) throw failure.error;
      if (at < availableBytes) {
        const length = Math.min(CHUNK_BYTES, availableBytes - at);
        const buffer = buffers.take();
        const { bytesRead } = await handle.read(buffer, 0, length, at);
        if (bytesRead === 0)
          throw new DestinationError("unavailable", "the staged archive was truncated by another program");
        at += bytesRead;
        buffers.gave(buffer, at);
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
    openReader() {
      const buffers = createReadBuffers();
      return {
        get sizeBytes() {
          return facts?.sizeBytes;
        },
        get estimateBytes() {
          return Math.max(estimateBytes, availableBytes);
        },
        // The whole file stays until it is discarded: a retry reads it again.
        firstByte: 0,
        finished: finished.promise,
        read: (offset, signal) => read(buffers, offset, signal),
        release: (offset) => buffers.release(offset),
        progressed() {},
        hold() {},
        close() {},
      };
    },
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
