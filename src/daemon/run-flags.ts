/**
 * For processes that make and send archives, as in `bin/lifeboat`. Large buffers come and go while little else does: V8's
 * helper threads then collect a heap of 10 MB five times a second, which took a third of the CPU time of an upload by SSH
 * (`bench/delivery.ts`). A small young generation is collected, and its buffers freed, before it comes to that. V8's flags
 * come and go, so another Node.js gets none.
 */
export const RUN_FLAGS: readonly string[] = process.version.startsWith("v26.")
  ? ["--single-threaded-gc", "--max-semi-space-size=1"]
  : [];
