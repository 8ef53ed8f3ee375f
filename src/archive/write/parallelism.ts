import { availableParallelism } from "node:os";
import type { CgroupLimits } from "../../lib/cgroup.ts";
import { readCgroupLimits } from "../../lib/cgroup.ts";

/** What the process needs without any block in flight, and what one block in flight may cost at most (design.md). */
const BASE_BYTES = 150_000_000;
const BYTES_PER_BLOCK = 16_000_000;

/**
 * How many blocks are compressed at the same time. `wanted` 0 = the CPU quota rounded up; never below 1, never above
 * the cores that this process may use, and never more than fit into the memory limit.
 */
export function blocksInFlight(
  wanted: number,
  limits: CgroupLimits = readCgroupLimits(),
  cores: number = availableParallelism(),
): number {
  const byCpu = wanted > 0 ? wanted : Math.ceil(limits.cpus ?? cores);
  const byMemory =
    limits.memoryBytes === undefined
      ? Number.POSITIVE_INFINITY
      : Math.floor((limits.memoryBytes - BASE_BYTES) / BYTES_PER_BLOCK);
  return Math.max(1, Math.min(byCpu, cores, byMemory));
}
