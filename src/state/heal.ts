import type { RunReport } from "../contracts/run.ts";
import type { History } from "./history.ts";
import { isAlive as processIsAlive } from "./process.ts";
import type { ProcessIdentity } from "./process.ts";

/** Why a healed run ended, as history and notification tell it. */
export const KILLED = "the process was killed or the machine went down";

/**
 * Marks runs that a dead process left as `running` as interrupted, and returns them. Only the history is touched:
 * containers and leftovers are for the caller.
 */
export function healState(
  history: History,
  isAlive: (process: ProcessIdentity) => boolean = processIsAlive,
): RunReport[] {
  return history.markInterrupted(isAlive, KILLED);
}
