import type { ArchiveSource } from "../../contracts/archive.ts";
import { untilAborted, orAborted } from "../../lib/abortable.ts";
import { readCgroupLimits } from "../../lib/cgroup.ts";
import { HASH_BLOCK_BYTES } from "./content-hash.ts";

/** One piece of a body, in a buffer that is used again once it is given back. */
export interface Block {
  readonly offset: number;
  readonly bytes: Buffer;
  /** Nothing comes after it. */
  readonly isLast: boolean;
  giveBack(): void;
}

export interface BlockPlan {
  /** A multiple of 4 MiB, as concurrent upload sessions ask for. */
  readonly blockBytes: number;
  /** On their way at the same time. */
  readonly inFlight: number;
}

/** Fewer, larger requests where only few are wanted at a time. */
const LARGE_BLOCK_BYTES = 2 * HASH_BLOCK_BYTES;
const LARGE_UP_TO = 4;
/** All that an upload may hold, whatever the user's level. */
const MOST_BYTES = 48 * 1024 * 1024;
/** Node.js and this program without any upload. */
const PROCESS_BYTES = 150_000_000;

/** As many requests as the user wants, as far as memory goes: half of what the container's limit leaves, at most 48 MiB. */
export function planBlocks(concurrency: number, memoryLimitBytes = readCgroupLimits().memoryBytes): BlockPlan {
  const roomBytes = Math.min(MOST_BYTES, ((memoryLimitBytes ?? Number.POSITIVE_INFINITY) - PROCESS_BYTES) / 2);
  const mostBlocks = Math.max(1, Math.floor(roomBytes / HASH_BLOCK_BYTES));
  const inFlight = Math.max(1, Math.min(concurrency, mostBlocks));
  const isLarge = inFlight <= LARGE_UP_TO && 2 * inFlight <= mostBlocks;
  return { inFlight, blockBytes: isLarge ? LARGE_BLOCK_BYTES : HASH_BLOCK_BYTES };
}

/**
 * A body as blocks of one size and a last one of any; a body of no bytes is one empty block. Each is handed out when the
 * byte after it is there, so that the last is known. Waits while all buffers are out.
 */
export async function* blocksOf(body: ArchiveSource, plan: BlockPlan, signal: AbortSignal): AsyncGenerator<Block> {
  // A small object of known size needs no more than itself.
  const bufferBytes = Math.max(1, Math.min(plan.blockBytes, body.sizeBytes ?? plan.blockBytes));
  const free: Buffer[] = [];
  let out = 0;
  let returned = Promise.withResolvers<void>();
  const take = async (): Promise<Buffer> => {
    while (out > plan.inFlight) await orAborted(returned.promise, signal);
    out += 1;
    return free.pop() ?? Buffer.allocUnsafeSlow(bufferBytes);
  };
  const handOut = (buffer: Buffer, length: number, offset: number, isLast: boolean): Block => ({
    offset,
    bytes: buffer.subarray(0, length),
    isLast,
    giveBack() {
      out -= 1;
      free.push(buffer);
      returned.resolve();
      returned = Promise.withResolvers();
    },
  });

  let buffer = await take();
  let length = 0;
  let offset = 0;
  for await (const chunk of untilAborted(body.read(0, signal), signal)) {
    for (let at = 0; at < chunk.byteLength;) {
      if (length === buffer.byteLength) {
        yield handOut(buffer, length, offset, false);
        offset += length;
        length = 0;
        buffer = await take();
      }
      const piece = chunk.subarray(at, at + buffer.byteLength - length);
      buffer.set(piece, length);
      length += piece.byteLength;
      at += piece.byteLength;
    }
    body.release(offset + length);
  }
  yield handOut(buffer, length, offset, true);
}
