import { statfs } from "node:fs/promises";
import { formatBytes } from "../../lib/bytes.ts";
import { DestinationError } from "../../lib/errors.ts";

/** Never filled up to the last byte: what shares the disk (a database, the site itself) must be able to go on. */
const RESERVE_SHARE = 0.01;
const RESERVE_MOST_BYTES = 64 * 1024 * 1024;

export interface Space {
  /** What this user may still write. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** Undefined where the file system does not say. Quotas are not seen: only writing finds them. */
export async function spaceOf(folder: string): Promise<Space | undefined> {
  try {
    const { bsize, blocks, bavail } = await statfs(folder);
    if (blocks === 0) return undefined;
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch {
    // Only an early warning is lost; the write itself still reports a full disk.
    return undefined;
  }
}

/** Bytes that this user may still write to the file system of `folder`; undefined where it does not say. */
export async function freeBytes(folder: string): Promise<number | undefined> {
  return (await spaceOf(folder))?.freeBytes;
}

/**
 * Throws `full`, with sizes, where `folder` could not take `neededBytes` more (0: unknown) and keep its reserve.
 * `writtenBytes` says how far a write has come.
 */
export async function checkSpace(folder: string, neededBytes: number, writtenBytes: number): Promise<void> {
  const space = await spaceOf(folder);
  if (space === undefined) return;
  const reserve = Math.min(RESERVE_MOST_BYTES, space.totalBytes * RESERVE_SHARE);
  if (space.freeBytes >= neededBytes + reserve) return;
  throw fullError(folder, neededBytes, writtenBytes, space.freeBytes);
}

/** `full`, in words and sizes. */
export function fullError(
  folder: string,
  neededBytes: number,
  writtenBytes: number,
  free: number | undefined,
  cause?: unknown,
): DestinationError {
  const left = free === undefined ? "no space left" : `${formatBytes(free)} free`;
  const need =
    writtenBytes > 0
      ? ` after ${formatBytes(writtenBytes)} of the archive were written`
      : `, about ${formatBytes(neededBytes)} needed`;
  return new DestinationError(
    "full",
    `not enough space in ${folder}: ${left}${writtenBytes === 0 && neededBytes === 0 ? "" : need}`,
    {
      hint: "free some space there, keep fewer archives (BACKUP_RETENTION_DAYS, BACKUP_KEEP_*), or use a larger volume",
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
