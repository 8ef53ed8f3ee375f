import type { Destination } from "../contracts/destination.ts";
import { type CgroupLimits, readCgroupLimits } from "../lib/cgroup.ts";

export interface StagingQuestion {
  /** `BACKUP_STAGING`. */
  readonly wanted: string;
  readonly destinations: readonly Destination[];
  /** A delivery that fails shall be tried again after the run, which needs a file (`SPOOL_MAX_BYTES`). */
  readonly keepsFailed: boolean;
  /** The spool is no folder in memory. */
  readonly spoolIsOnDisk: boolean;
}

/** Where the archive may wait, in this order: the local folder, the spool, memory. */
export interface StagingPlan {
  readonly local: Destination | undefined;
  readonly inSpool: boolean;
  readonly inMemory: boolean;
}

/**
 * `memory`: never a file. `disk`: always one, in the local folder or else in the spool. `auto`: a file in the local folder
 * where there is one; memory for a single remote, which nobody else waits for; the spool for several, so that each goes at
 * its own pace, and for one that can't continue an upload that was cut; memory where no folder can be written to.
 */
export function planStaging({ wanted, destinations, keepsFailed, spoolIsOnDisk }: StagingQuestion): StagingPlan {
  const local = destinations.find((destination) => destination.stage !== undefined);
  const remotes = destinations.filter((destination) => destination !== local);
  if (wanted === "memory") return { local: undefined, inSpool: false, inMemory: true };
  if (remotes.length === 0) return { local, inSpool: false, inMemory: false };
  if (wanted === "disk") return { local, inSpool: true, inMemory: false };
  const beginsAnew = remotes.some(({ kind }) => kind === "webdav") && spoolIsOnDisk;
  return { local, inSpool: remotes.length > 1 || keepsFailed || beginsAnew, inMemory: true };
}

const LARGEST_WINDOW_BYTES = 16 * 1024 * 1024;
const SMALLEST_WINDOW_BYTES = 4 * 1024 * 1024;
/** The window's share of the memory limit: compression and the kinds' own buffers need the rest. */
const SHARE = 0.1;

/** How much of an archive is held at a time when it is only in memory. */
export function windowBytes(limits: CgroupLimits = readCgroupLimits()): number {
  const share = (limits.memoryBytes ?? Number.POSITIVE_INFINITY) * SHARE;
  return Math.floor(Math.min(LARGEST_WINDOW_BYTES, Math.max(SMALLEST_WINDOW_BYTES, share)));
}
