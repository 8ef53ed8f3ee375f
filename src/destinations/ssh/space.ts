import { formatBytes } from "../../lib/bytes.ts";
import { DestinationError } from "../../lib/errors.ts";
import { FULL_HINT } from "./errors.ts";
import type { Session } from "./session.ts";

/** Bytes that the login may still write; undefined where the server does not say. Quotas are mostly not seen. */
export async function freeBytes(session: Session, folder: string): Promise<number | undefined> {
  if (!session.has("statvfs@openssh.com")) return undefined;
  try {
    const space = await session.request<Readonly<Record<string, unknown>>>((done) =>
      session.sftp.ext_openssh_statvfs(folder, done),
    );
    const { f_bavail: blocks, f_frsize: blockBytes, f_blocks: all } = space;
    // A file system that says 0 of 0 does not count.
    if (typeof blocks !== "number" || typeof blockBytes !== "number" || all === 0) return undefined;
    return blocks * blockBytes;
  } catch {
    // Only an early warning is lost; writing still finds a full disk.
    return undefined;
  }
}

export function fullError(folder: string, freeNow: number, more: string, cause?: unknown): DestinationError {
  return new DestinationError(
    "full",
    `not enough space in ${folder} on the server: ${formatBytes(freeNow)} free${more}`,
    { hint: FULL_HINT, ...(cause === undefined ? {} : { cause }) },
  );
}
