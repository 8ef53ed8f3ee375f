import { Worker } from "node:worker_threads";
import type { ArchiveOptions } from "../../contracts/archive.ts";
import { UserError } from "../../lib/errors.ts";
import { workerUrl } from "../../lib/worker-url.ts";
import type { SourceEstimate } from "./count-tree.ts";
import type { WalkOptions } from "./worker-protocol.ts";

export type { SourceEstimate } from "./count-tree.ts";

export type EstimateOptions = Pick<
  ArchiveOptions,
  "sources" | "hardlinks" | "excludeRegexp" | "excludeGlobs" | "ownPaths" | "signal"
>;

export interface EstimateWorkerData {
  readonly options: WalkOptions;
  /** One 32-bit integer; not 0: stop as soon as possible. */
  readonly aborted: SharedArrayBuffer;
}

export type EstimateMessage =
  | { readonly estimate: SourceEstimate }
  | {
      readonly failed: string;
      /** Set where the user can do something about it. */
      readonly hint: string | undefined;
    };

/**
 * What an archive of the sources would hold, from names and sizes alone: a fraction of an archive's work, but a look at
 * every file, for those who can't do without a number and have none from an earlier run. Rejects with the signal's
 * reason as soon as it is aborted, even where the file system does not answer, and where an exclude is no expression.
 */
export async function estimateSources(options: EstimateOptions): Promise<SourceEstimate> {
  const { sources, hardlinks, excludeRegexp, excludeGlobs, ownPaths, signal } = options;
  signal.throwIfAborted();
  const aborted = new SharedArrayBuffer(4);
  const workerData: EstimateWorkerData = {
    options: { sources, hardlinks, excludeRegexp, excludeGlobs, ownPaths },
    aborted,
  };
  const worker = new Worker(workerUrl(import.meta.url, "estimate-worker"), { workerData, execArgv: [] });
  const { promise, resolve, reject } = Promise.withResolvers<SourceEstimate>();
  worker.on("message", (message: EstimateMessage) => {
    if ("estimate" in message) resolve(message.estimate);
    else if (message.hint === undefined) reject(new Error(`the estimate failed: ${message.failed}`));
    else reject(new UserError(message.failed, message.hint === "" ? {} : { hint: message.hint }));
  });
  worker.on("error", reject);
  worker.on("exit", (code) => reject(new Error(`the estimate failed: its worker ended with code ${code}`)));
  const onAbort = (): void => {
    Atomics.store(new Int32Array(aborted), 0, 1);
    // It may hang in a call that nothing can end; whoever waits must not.
    worker.unref();
    reject(signal.reason);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
