import { parentPort, workerData } from "node:worker_threads";
import { UserError, messageOf } from "../../lib/errors.ts";
import { countTree } from "./count-tree.ts";
import type { EstimateMessage, EstimateWorkerData } from "./estimate.ts";
import { loadLibcCalls } from "./file-calls-libc.ts";
import { nodeCalls } from "./file-calls-node.ts";

/** The thread that counts. It never returns to its event loop before it is done, and learns of an abort through memory. */

const ABORTED = Symbol("aborted");

if (parentPort !== null) {
  const { options, aborted } = workerData as EstimateWorkerData;
  const flag = new Int32Array(aborted);
  const post = (message: EstimateMessage): void => parentPort?.postMessage(message);
  try {
    const calls = (await loadLibcCalls()) ?? nodeCalls;
    const estimate = countTree(options, calls, () => {
      if (Atomics.load(flag, 0) !== 0) throw ABORTED;
    });
    post({ estimate });
  } catch (error) {
    if (error !== ABORTED) {
      post({ failed: messageOf(error), hint: error instanceof UserError ? (error.hint ?? "") : undefined });
    }
  }
  parentPort.close();
}
