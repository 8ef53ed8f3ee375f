import type { Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { untilAborted } from "../../lib/abortable.ts";
import type { DestinationError } from "../../lib/errors.ts";
import { toLocalError } from "./errors.ts";
import { isSyncUnsupported } from "./folder.ts";
import { checkSpace, freeBytes, fullError } from "./free-space.ts";

export interface WriteOptions {
  /** Open for writing, empty. */
  readonly handle: FileHandle;
  /** Where it lies, for the space check and messages. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Gets every byte, in order. */
  readonly hash?: Hash;
  /** Called with the bytes in the file so far: only these may be read back. */
  onWritten?(totalBytes: number): void;
}

/** Pieces smaller than this are collected into one write. */
const SMALL_BYTES = 64 * 1024;
const COLLECT_BYTES = 256 * 1024;
/** How often the free space is looked at. */
const SPACE_EVERY_BYTES = 16 * 1024 * 1024;
/** How often what was written is sent on its way to the disk, so that the last sync, for which containers may wait, is short. */
const SYNC_EVERY_BYTES = 64 * 1024 * 1024;

/**
 * Writes all of `bytes` from the start of a file. Rejects with `full` (sizes in the message) when the space runs out,
 * with another `DestinationError` when a write fails, and with the source's own error as it is.
 */
export async function writeAll(
  bytes: AsyncIterable<Uint8Array>,
  options: WriteOptions,
): Promise<{ readonly sizeBytes: number }> {
  const { handle, folder, signal, hash } = options;
  const collected = Buffer.allocUnsafeSlow(COLLECT_BYTES);
  let collectedBytes = 0;
  let writtenBytes = 0;
  let nextSpaceCheck = SPACE_EVERY_BYTES;
  const background = backgroundSync(handle);

  const write = async (piece: Uint8Array): Promise<void> => {
    if (writtenBytes >= nextSpaceCheck) {
      nextSpaceCheck = writtenBytes + SPACE_EVERY_BYTES;
      await checkSpace(folder, 0, writtenBytes);
    }
    for (let at = 0; at < piece.byteLength;) {
      const { bytesWritten } = await handle
        .write(piece, at, piece.byteLength - at, writtenBytes)
        .catch(async (error: unknown) => {
          throw await writeError(error, folder, writtenBytes);
        });
      at += bytesWritten;
      writtenBytes += bytesWritten;
    }
    background.wrote(writtenBytes);
    options.onWritten?.(writtenBytes);
  };
  const flush = async (): Promise<void> => {
    const length = collectedBytes;
    collectedBytes = 0;
    if (length > 0) await write(collected.subarray(0, length));
  };

  try {
    for await (const piece of untilAborted(bytes, signal)) {
      hash?.update(piece);
      if (piece.byteLength < SMALL_BYTES) {
        if (collectedBytes + piece.byteLength > COLLECT_BYTES) await flush();
        collected.set(piece, collectedBytes);
        collectedBytes += piece.byteLength;
      } else {
        await flush();
        await write(piece);
      }
      signal.throwIfAborted();
    }
    await flush();
  } finally {
    await background.settled();
  }
  return { sizeBytes: writtenBytes };
}

/** Durable contents; also where network file systems and delayed allocation first report a full disk. */
export async function syncWritten(handle: FileHandle, folder: string, writtenBytes: number): Promise<void> {
  try {
    await handle.sync();
  } catch (error) {
    if (!isSyncUnsupported(error)) throw await writeError(error, folder, writtenBytes);
  }
}

async function writeError(error: unknown, folder: string, writtenBytes: number): Promise<DestinationError> {
  const translated = toLocalError(error, `cannot write to ${folder}`);
  return translated.code === "full" ? fullError(folder, 0, writtenBytes, await freeBytes(folder), error) : translated;
}

/** At most one sync on its way at a time; its failure shows again in the final one, which is waited for. */
function backgroundSync(handle: FileHandle): { wrote(totalBytes: number): void; settled(): Promise<void> } {
  let next = SYNC_EVERY_BYTES;
  let running: Promise<void> | undefined;
  return {
    wrote(totalBytes) {
      if (totalBytes < next || running !== undefined) return;
      next = totalBytes + SYNC_EVERY_BYTES;
      running = handle.datasync().then(
        () => void (running = undefined),
        () => void (running = undefined),
      );
    },
    async settled() {
      await running;
    },
  };
}
