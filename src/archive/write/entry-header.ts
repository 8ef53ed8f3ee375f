import type { BigIntStats } from "node:fs";
import type { PreparedHeader, TarType } from "./headers.ts";
import { prepareHeader } from "./headers.ts";

/** Readers refuse extended headers of more than 1 MiB (Go's archive/tar, node-tar). */
const MAX_PAX_BYTES = 1_000_000;

/**
 * The header of what `stat` describes; undefined where the path is too long for any reader. `path` is the full path as
 * a byte string, `linkPath` a link's target, `sizeBytes` the content that follows.
 */
export function headerOf(
  path: string,
  stat: BigIntStats,
  type: TarType,
  linkPath: string,
  sizeBytes: number,
): PreparedHeader | undefined {
  const device = type === "character-device" || type === "block-device" ? stat.rdev : 0n;
  const header = prepareHeader({
    type,
    path: entryPath(path, type === "directory"),
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    sizeBytes,
    mtimeNs: stat.mtimeNs,
    linkPath,
    // Linux's layout of `dev_t`.
    deviceMajor: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn)),
    deviceMinor: Number((device & 0xffn) | ((device >> 12n) & ~0xffn & 0xffffffffn)),
  });
  return header.pax.length <= MAX_PAX_BYTES ? header : undefined;
}

function entryPath(path: string, isFolder: boolean): string {
  // The root folder has no name of its own; tar programs call it `./`.
  if (path === "/") return "./";
  return isFolder ? `${path.slice(1)}/` : path.slice(1);
}
