import { createHash, type Hash } from "node:crypto";
import type { ArchiveSource } from "../contracts/archive.ts";
import { orAborted, untilAborted } from "../lib/abortable.ts";
import type { PartPlan } from "./part-plan.ts";

export interface Part {
  /** From 1. */
  readonly number: number;
  readonly offset: number;
  /** Only until `send` settles: the buffer is used again. */
  readonly bytes: Buffer;
  readonly md5: Buffer;
  /** The whole body is this one part. */
  readonly isOnly: boolean;
}

export interface SendPartsOptions {
  readonly signal: AbortSignal;
  /** Sends one part, several at the same time. Its first failure ends everything; `signal` then aborts the others. */
  send(part: Part, signal: AbortSignal): Promise<void>;
  /** Every byte once, in order. */
  onBytes?(bytes: Uint8Array): void;
}

/**
 * Cuts a body of any length into parts and sends them from a small pool of buffers; a body of no bytes is one empty part.
 * Resolves with the body's size when every part was sent. Rejects with the first failure, the source's own included, after
 * every call has ended; a source that hangs is not waited for.
 */
export async function sendInParts(body: ArchiveSource, plan: PartPlan, options: SendPartsOptions): Promise<number> {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const inFlight = new Set<Promise<void>>();
  const buffers = createBuffers(plan, inFlight);

  const dispatch = (filling: Filling, isLast: boolean): void => {
    const { number, offset, buffer } = filling;
    const bytes = buffer.subarray(0, filling.length);
    const part = { number, offset, bytes, md5: filling.hash.digest(), isOnly: isLast && number === 1 };
    const sending: Promise<void> = options
      .send(part, signal)
      .catch((error: unknown) => failed.abort(error))
      .finally(() => {
        inFlight.delete(sending);
        buffers.giveBack(buffer);
      });
    inFlight.add(sending);
  };

  try {
    let filling = await buffers.begin(1, 0, body.sizeBytes, signal);
    for await (const chunk of untilAborted(body.read(0, signal), signal)) {
      options.onBytes?.(chunk);
      for (let at = 0; at < chunk.byteLength;) {
        // A full part waits for the byte that follows it: only then is it known whether it is the last.
        if (filling.length === filling.buffer.byteLength) {
          dispatch(filling, false);
          filling = await buffers.begin(filling.number + 1, filling.offset + filling.length, undefined, signal);
        }
        const piece = chunk.subarray(at, at + filling.buffer.byteLength - filling.length);
        filling.buffer.set(piece, filling.length);
        filling.hash.update(piece);
        filling.length += piece.byteLength;
        at += piece.byteLength;
      }
      body.release(filling.offset + filling.length);
    }
    dispatch(filling, true);
    await Promise.all(inFlight);
    signal.throwIfAborted();
    return filling.offset + filling.length;
  } catch (error) {
    failed.abort(error);
    throw signal.reason;
  } finally {
    await Promise.all(inFlight);
  }
}

interface Filling {
  readonly number: number;
  readonly offset: number;
  readonly buffer: Buffer;
  readonly hash: Hash;
  length: number;
}

interface Buffers {
  /** Waits until the pool has a buffer for this part. */
  begin(number: number, offset: number, knownBytes: number | undefined, signal: AbortSignal): Promise<Filling>;
  giveBack(buffer: Buffer): void;
}

function createBuffers(plan: PartPlan, inFlight: ReadonlySet<Promise<void>>): Buffers {
  const free: Buffer[] = [];
  return {
    async begin(number, offset, knownBytes, signal) {
      const partBytes = plan.sizeOf(number, offset);
      while (inFlight.size >= plan.buffersOf(partBytes)) await orAborted(Promise.race(inFlight), signal);
      // The first part of a small body needs no more than the body.
      const bytes = Math.min(partBytes, Math.max(1, knownBytes ?? partBytes));
      let buffer = free.pop();
      while (buffer !== undefined && buffer.byteLength !== bytes) buffer = free.pop();
      return { number, offset, buffer: buffer ?? Buffer.allocUnsafeSlow(bytes), hash: createHash("md5"), length: 0 };
    },
    giveBack(buffer) {
      free.push(buffer);
    },
  };
}
