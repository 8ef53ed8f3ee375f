import type { FileStat } from "./file-stat.ts";
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
  stat: FileStat,
  type: TarType,
  linkPath: string,
  sizeBytes: number,
): PreparedHeader | undefined {
  const isDevice = type === "character-device" || type === "block-device";
  const header = prepareHeader({
    type,
    path: entryPath(path, type === "directory"),
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    sizeBytes,
    mtimeSeconds: stat.mtimeSeconds,
    mtimeNanoseconds: stat.mtimeNanoseconds,
    linkPath,
    deviceMajor: isDevice ? stat.deviceMajor : 0,
    deviceMinor: isDevice ? stat.deviceMinor : 0,
  });
  return header.pax.length <= MAX_PAX_BYTES ? header : undefined;
}

function entryPath(path: string, isFolder: boolean): string {
  // The root folder has no name of its own; tar programs call it `./`.
  if (path === "/") return "./";
  return isFolder ? `${path.slice(1)}/` : path.slice(1);
}
