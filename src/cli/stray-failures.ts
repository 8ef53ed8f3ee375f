import type { Log } from "../contracts/log.ts";
import { messageOf } from "../lib/errors.ts";

/**
 * A library may leave a promise behind that fails when nobody waits for it any more (a socket that closes after its request was
 * given up). Node.js would end the process, and the run without a record; what the run itself waits for is checked anyway.
 * Returns what ends it.
 */
export function surviveStrayFailures(log: Log): () => void {
  const onStray = (reason: unknown): void => log.warn(`a failure that nobody waited for: ${messageOf(reason)}`);
  process.on("unhandledRejection", onStray);
  return () => void process.off("unhandledRejection", onStray);
}
