import { Worker } from "node:worker_threads";
import type { Compression, CompressionLevel } from "../../contracts/archive.ts";
import { workerUrl } from "../../lib/worker-url.ts";
import { outputCapacityBytes } from "./block-engine.ts";
import { type CompressReply, type CompressRequest, END } from "./compress-protocol.ts";
import type { EngineChoice } from "./engines.ts";

/** A compressed block. Both buffers are the caller's again. */
export interface CompressedBlock {
  readonly input: SharedArrayBuffer;
  /** Its first `outputBytes` are the block; the rest is room. */
  readonly output: SharedArrayBuffer;
  readonly outputBytes: number;
  /** Of these bytes; absent where nothing was compressed. */
  readonly sha256?: Uint8Array;
}

/** Turns blocks into independently readable pieces of the archive, off the main thread. */
export interface BlockCompressor {
  /** For the record: library, version where it is known, level. Known once a block is compressed. */
  readonly name: string;
  /** Starts the first thread, which takes as long as the first block takes to be read. */
  warmUp(): void;
  /** `input`, whose first `bytes` are the block, is given away until the promise settles. At most `slots` at a time. */
  compress(input: SharedArrayBuffer, bytes: number): Promise<CompressedBlock>;
  /** Takes an output's memory back for another block. */
  reuse(output: SharedArrayBuffer): void;
  /**
   * Rejects the compressions under way and tells the threads to end, which they do after their block. They are never ended by
   * force: a native library that is being loaded at that moment takes the whole process with it. Resolves when all are gone.
   */
  close(): Promise<void>;
}

export interface CompressorOptions {
  /** Threads, each started when it is first needed, or warmed up. */
  readonly slots: number;
  /** The largest block, bytes. */
  readonly blockBytes: number;
  /** False: only what is built into Node.js, as where the libraries are missing. */
  readonly native: boolean | undefined;
}

export function createCompressor(
  compression: Compression,
  level: CompressionLevel,
  options: CompressorOptions,
): BlockCompressor {
  if (compression === "none") {
    return {
      name: "none",
      warmUp: () => undefined,
      // The block is its own output: the caller takes care of that.
      compress: (input, bytes) => Promise.resolve({ input, output: input, outputBytes: bytes }),
      reuse: () => undefined,
      close: () => Promise.resolve(),
    };
  }
  return threadedCompressor({ compression, level, native: options.native ?? true }, options);
}

const PATIENCE_MS = 1_500;
/** A smaller block waits for a thread that is there: a new one takes longer to start. The archive's end is such a block. */
const WORTH_A_THREAD_BYTES = 64 * 1024;

/** It makes next to no garbage. */
const WORKER_LIMITS = { maxYoungGenerationSizeMb: 1 };

interface Pending {
  resolve(block: CompressedBlock): void;
  reject(error: unknown): void;
}

function threadedCompressor(choice: EngineChoice, { slots, blockBytes }: CompressorOptions): BlockCompressor {
  const idle: Worker[] = [];
  /** With what each has to do, in order. */
  const workers = new Map<Worker, Pending[]>();
  const spareOutputs: SharedArrayBuffer[] = [];
  let name = "";

  const lost = (worker: Worker, error: unknown): void => {
    for (const pending of workers.get(worker) ?? []) pending.reject(error);
    workers.delete(worker);
    if (idle.includes(worker)) idle.splice(idle.indexOf(worker), 1);
  };
  const start = (): Worker => {
    const url = workerUrl(import.meta.url, "compress-worker");
    const worker = new Worker(url, { workerData: choice, execArgv: [], resourceLimits: WORKER_LIMITS });
    worker.on("message", (reply: CompressReply) => {
      const queue = workers.get(worker);
      const pending = queue?.shift();
      if (queue?.length === 0) idle.push(worker);
      name = reply.name;
      pending?.resolve(reply);
    });
    worker.on("error", (error) => lost(worker, error));
    worker.on("exit", (code) => lost(worker, new Error(`a compressor ended early with code ${code}`)));
    workers.set(worker, []);
    return worker;
  };

  return {
    get name() {
      return name;
    },
    warmUp() {
      idle.push(start());
    },
    compress(input, bytes) {
      const [busy] = bytes < WORTH_A_THREAD_BYTES ? workers.keys() : [];
      const free = idle.pop() ?? busy;
      if (free === undefined && workers.size >= slots) throw new Error(`more than ${slots} blocks at a time`);
      const worker = free ?? start();
      const output = spareOutputs.pop() ?? new SharedArrayBuffer(outputCapacityBytes(blockBytes));
      return new Promise((resolve, reject) => {
        workers.get(worker)?.push({ resolve, reject });
        worker.postMessage({ input, bytes, output } satisfies CompressRequest);
      });
    },
    reuse(output) {
      spareOutputs.push(output);
    },
    async close() {
      const running = [...workers.keys()];
      const gone = running.map((worker) => new Promise((resolve) => worker.once("exit", resolve)));
      // One that is far from its end must not hold the process.
      setTimeout(() => running.forEach((worker) => worker.unref()), PATIENCE_MS).unref();
      for (const worker of running) {
        worker.postMessage(END);
        lost(worker, new Error("the compression was given up"));
      }
      await Promise.all(gone);
    },
  };
}
