import { readCgroupLimits } from "../lib/cgroup.ts";
import { DestinationError } from "../lib/errors.ts";

const MIB = 1024 * 1024;

export interface PartLimits {
  /** What a part has where nothing asks for more, bytes. */
  readonly baseBytes: number;
  /** The store's own limits. */
  readonly maxParts: number;
  readonly maxPartBytes: number;
  /** Whether a later part may be larger than an earlier one (Cloudflare R2: no; a size chosen by the user: no). */
  readonly canGrow: boolean;
  /** Parts in memory at the same time (on the way or being filled), where memory allows. */
  readonly buffers: number;
  /** What to change when the limits don't do, e.g. `raise AWS_PART_SIZE`. */
  readonly hint: string;
}

/** How a body whose size may be unknown is cut into parts. Asked in order, once for each part. */
export interface PartPlan {
  /** Bytes of the part with this number (from 1), of which `bytesBefore` lie in front; throws `invalid` beyond the last. */
  sizeOf(number: number, bytesBefore: number): number;
  /** Buffers of this size that may exist at the same time, the one being filled included. */
  buffersOf(partBytes: number): number;
}

/** Room for growth that was not foreseen: parts that the estimate leaves unused. */
const SPARE_PARTS = 0.05;
/** An estimate is the size of the files; headers and an incompressible archive add to it. */
const ESTIMATE_FACTOR = 1.05;
/** How many sizes, each twice the one before, the parts that are left are given once an estimate is exceeded or missing. */
const SIZES = 10;
/** Node.js and this program without any archive, bytes. */
const PROCESS_BYTES = 150 * 1000 * 1000;
const NO_LIMIT_BYTES = 1024 * MIB;

/**
 * One size for all parts, chosen from what is known in front; doubled again and again only when that turns out too little. Buffers keep to half of what the container's memory limit leaves.
 */
export function planParts(
  body: { readonly sizeBytes: number | undefined; readonly estimateBytes: number },
  limits: PartLimits,
  memoryLimitBytes: number = readCgroupLimits().memoryBytes ?? NO_LIMIT_BYTES,
): PartPlan {
  const { maxParts, maxPartBytes, baseBytes } = limits;
  const roomBytes = Math.max(8 * MIB, Math.floor((memoryLimitBytes - PROCESS_BYTES) / 2));
  const wantedBytes =
    body.sizeBytes === undefined
      ? (body.estimateBytes * ESTIMATE_FACTOR) / (maxParts * (1 - SPARE_PARTS))
      : body.sizeBytes / maxParts;
  const neededBytes = Math.ceil(wantedBytes / MIB) * MIB;
  if (body.sizeBytes !== undefined && neededBytes > maxPartBytes) throw tooLarge(limits);
  const firstBytes = Math.min(maxPartBytes, Math.max(baseBytes, neededBytes));
  if (firstBytes > 2 * roomBytes && (body.sizeBytes !== undefined || firstBytes === baseBytes)) {
    throw new DestinationError(
      "invalid",
      `parts of ${Math.round(firstBytes / MIB)} MiB don't fit into this container's memory limit`,
      { hint: `give the container more memory, or lower the size of a part (${limits.hint})` },
    );
  }
  const startBytes = Math.min(firstBytes, Math.max(baseBytes, 2 * roomBytes));
  const foreseenBytes = Math.max(body.sizeBytes ?? 0, body.estimateBytes * ESTIMATE_FACTOR);
  let exceededAt: number | undefined;
  return {
    sizeOf(number, bytesBefore) {
      if (number > maxParts) throw tooLarge(limits);
      if (!limits.canGrow || bytesBefore < foreseenBytes) return startBytes;
      exceededAt ??= number;
      const step = Math.max(1, Math.floor((maxParts - exceededAt + 1) / SIZES));
      const doubled = startBytes * 2 ** Math.floor((number - exceededAt) / step);
      return Math.max(startBytes, Math.min(doubled, maxPartBytes, Math.floor(roomBytes / MIB) * MIB));
    },
    buffersOf: (partBytes) => Math.max(1, Math.min(limits.buffers, Math.floor(roomBytes / partBytes))),
  };
}

function tooLarge(limits: PartLimits): DestinationError {
  return new DestinationError("invalid", `the archive is larger than ${limits.maxParts} parts of an upload can hold`, {
    hint: limits.hint,
  });
}
