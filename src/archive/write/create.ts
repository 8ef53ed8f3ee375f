import { createHash } from "node:crypto";
import type { WorkerOptions } from "node:worker_threads";
import { Worker } from "node:worker_threads";
import type { ArchiveOptions, ArchiveResult, ArchiveStream } from "../../contracts/archive.ts";
import { UserError } from "../../lib/errors.ts";
import { workerUrl } from "../../lib/worker-url.ts";
import { createBlockFacts } from "./block-facts.ts";
import { blockCapacityBytes, cutRuleOf } from "./blocks.ts";
import { type CompressedBlock, type CompressorOptions, createCompressor } from "./compressors.ts";
import { blocksInFlight } from "./parallelism.ts";
import { createPipeline } from "./pipeline.ts";
import type { BlockMessage, BufferMessage, EndMessage, WalkWorkerData, WorkerMessage } from "./worker-protocol.ts";
import { CONTROL, CONTROL_BYTES } from "./worker-protocol.ts";

/** Blocks beside those being compressed: one is being filled, one is being handed out, one is ready. */
const SPARE_BUFFERS = 3;
const PROGRESS_EVERY_MS = 250;
/** After an abort: when the worker is ended by force, and when it is given up (a system call that never returns). */
const TERMINATE_AFTER_MS = 300;
const GIVE_UP_AFTER_MS = 1_500;
const LOADING_CHECK_MS = 50;

/** An archive's stream that also tells when its worker is gone. */
export interface CreatedArchive extends ArchiveStream {
  /**
   * Settles (never rejects) when the threads have ended: a process that ends while one of them loads its native code
   * crashes. If it is still pending after `result` rejected, the walk hangs in a system call that can't be cancelled (a dead
   * network mount); such a process can only end itself with SIGKILL.
   */
  readonly workerGone: Promise<void>;
}

/** What tests put in the place of what is used otherwise. */
export interface ArchiveParts {
  /** A walker that hangs or crashes. */
  readonly walkWorker?: URL;
  readonly walkWorkerOptions?: WorkerOptions;
  readonly native?: CompressorOptions["native"];
}

/**
 * Makes one archive of `options.sources`. Nothing happens before `bytes` is read (once). A failure or an abort ends both
 * `bytes` and `result` with the same error within two seconds, whatever the file system does; so does whoever
 * stops reading early. The chunks belong to the reader, unless `options.reuseChunks` says otherwise.
 */
export function createArchive(options: ArchiveOptions, parts: ArchiveParts = {}): CreatedArchive {
  const { walkWorker = workerUrl(import.meta.url, "walk-worker"), walkWorkerOptions = {} } = parts;
  const result = Promise.withResolvers<ArchiveResult>();
  const gone = Promise.withResolvers<void>();
  const compressorGone = Promise.withResolvers<void>();
  // Whoever only reads `bytes` learns of a failure there.
  result.promise.catch(() => undefined);
  const slots = blocksInFlight(options.parallelism);
  const cutRule = cutRuleOf(options.compression);
  const compressor = createCompressor(options.compression, options.level, {
    slots,
    blockBytes: blockCapacityBytes(cutRule),
    native: parts.native,
  });
  const pipeline = createPipeline<BlockMessage, CompressedBlock>(
    ({ buffer, bytes }) => compressor.compress(buffer, bytes),
    slots,
  );
  const control = new Int32Array(new SharedArrayBuffer(CONTROL_BYTES));
  let worker: Worker | undefined;
  let end: EndMessage | undefined;
  let failing: Promise<void> | undefined;
  let sizeBytes = 0;

  const wakeWorker = (): void => {
    Atomics.add(control, CONTROL.wakeUps, 1);
    Atomics.notify(control, CONTROL.wakeUps);
  };
  const stopWorker = async (): Promise<void> => {
    if (worker === undefined) return gone.resolve();
    const running = worker;
    Atomics.store(control, CONTROL.aborted, 1);
    wakeWorker();
    const endByForce = (): void => {
      if (Atomics.load(control, CONTROL.loading) === 0) void running.terminate();
      else force = setTimeout(endByForce, LOADING_CHECK_MS);
    };
    let force = setTimeout(endByForce, TERMINATE_AFTER_MS);
    await patiently(gone.promise);
    clearTimeout(force);
    running.unref();
  };
  const fail = (error: unknown): void => {
    if (failing !== undefined) return;
    options.signal.removeEventListener("abort", onAbort);
    pipeline.fail(error);
    const closing = patiently(compressor.close());
    compressorGone.resolve(closing);
    failing = Promise.all([stopWorker(), closing]).then(() => result.reject(error));
  };
  const onAbort = (): void => fail(options.signal.reason);
  if (options.signal.aborted) onAbort();
  else options.signal.addEventListener("abort", onAbort, { once: true });

  const onMessage = (message: WorkerMessage): void => {
    if (failing !== undefined) return;
    switch (message.type) {
      case "block":
        pipeline.push(message);
        return;
      case "notices":
        for (const notice of message.notices) options.onNotice?.(notice);
        Atomics.add(control, CONTROL.noticesTaken, 1);
        wakeWorker();
        return;
      case "end":
        end = message;
        pipeline.end();
        return;
      case "failed":
        fail(workerFailure(message.message, message.hint, message.stack));
    }
  };
  const start = (): Worker => {
    const { sources, hardlinks, excludeRegexp, excludeGlobs, ownPaths } = options;
    const workerData: WalkWorkerData = {
      options: { sources, hardlinks, excludeRegexp, excludeGlobs, ownPaths },
      cutRule,
      buffers: slots + SPARE_BUFFERS,
      hashesBlocks: options.compression === "none",
      control: control.buffer,
    };
    const started = new Worker(walkWorker, { workerData, execArgv: [], ...walkWorkerOptions });
    started.on("message", guarded(onMessage, fail));
    started.on("error", (error) => fail(workerFailure(String(error), undefined, undefined)));
    started.on("exit", (code) => {
      gone.resolve();
      if (end === undefined) fail(workerFailure(`it ended early with code ${code}`, undefined, undefined));
    });
    return started;
  };

  async function* produce(): AsyncGenerator<Uint8Array, void, void> {
    const hash = createHash("sha256");
    const blockFacts = createBlockFacts(options.onBlock);
    let progressAt = 0;
    let finished = false;
    try {
      if (failing === undefined) {
        worker = start();
        compressor.warmUp();
      }
      for (let next = await pipeline.take(); next !== undefined; next = await pipeline.take()) {
        const { block, output: compressed } = next;
        const output = new Uint8Array(compressed.output, 0, compressed.outputBytes);
        hash.update(output);
        blockFacts.add(block, output, compressed.sha256 ?? block.sha256);
        sizeBytes += output.length;
        if (performance.now() - progressAt >= PROGRESS_EVERY_MS) {
          progressAt = performance.now();
          const { files, bytesRead, current } = block;
          options.onProgress?.({ files, bytesRead, bytesWritten: sizeBytes, current });
        }
        yield options.reuseChunks === true ? output : output.slice();
        if (compressed.output !== compressed.input) compressor.reuse(compressed.output);
        worker?.postMessage({ buffer: compressed.input } satisfies BufferMessage);
        wakeWorker();
      }
      if (end === undefined) throw new Error("the archive ended without an end");
      const { counts, bytesRead, sources, notices, incomplete } = end;
      options.onProgress?.({ files: counts.files, bytesRead, bytesWritten: sizeBytes, current: "" });
      options.signal.removeEventListener("abort", onAbort);
      await Promise.all([compressor.close(), gone.promise]);
      compressorGone.resolve();
      finished = true;
      result.resolve({
        sizeBytes,
        sha256: hash.digest("hex"),
        ...blockFacts.result(),
        counts,
        bytesRead,
        sources,
        notices,
        incomplete,
        compressor: compressor.name,
      });
    } catch (error) {
      fail(error);
      throw error;
    } finally {
      if (!finished) fail(new Error("the archive was not read to its end"));
      await failing;
    }
  }

  const workerGone = Promise.all([gone.promise, compressorGone.promise]).then(() => undefined);
  return { bytes: produce(), result: result.promise, workerGone };
}

/** Waits for an end, but not for longer than anybody may wait after an abort. */
async function patiently(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patienceEnds = new Promise((resolve) => {
    timer = setTimeout(resolve, GIVE_UP_AFTER_MS);
  });
  await Promise.race([work, patienceEnds]);
  clearTimeout(timer);
}

function guarded<T>(handle: (value: T) => void, fail: (error: unknown) => void): (value: T) => void {
  return (value) => {
    try {
      handle(value);
    } catch (error) {
      fail(error);
    }
  };
}

/** A hint, even an empty one, marks what a user can do something about. */
function workerFailure(text: string, hint: string | undefined, stack: string | undefined): Error {
  if (hint !== undefined) return new UserError(text, hint === "" ? {} : { hint });
  return new Error(`the archive worker failed: ${text}`, { cause: stack });
}
