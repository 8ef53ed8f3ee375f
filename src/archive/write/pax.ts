import { isAscii, isUtf8ByteString } from "./byte-strings.ts";
import type { EntryHeader } from "./header-fields.ts";

/** The largest values that ustar's octal fields hold. */
export const MAX_OCTAL_7 = 0o7777777;
export const MAX_OCTAL_11 = 0o77777777777;
/** Length of ustar's fields for a link's target and for a path's last part. */
export const NAME_BYTES = 100;
const PREFIX_BYTES = 155;

/**
 * The extended header (POSIX.1-2001 pax) that an entry needs beside its ustar header, as a byte string; empty when
 * ustar says it all. It depends on nothing but the entry.
 */
export function paxRecords(entry: EntryHeader): string {
  let records = "";
  const path = splitPath(entry.path) === undefined ? entry.path : undefined;
  const linkPath = entry.linkPath.length > NAME_BYTES || !isAscii(entry.linkPath) ? entry.linkPath : undefined;
  // Without this a pax value is UTF-8 by definition.
  if (!isUtf8ByteString(path ?? "") || !isUtf8ByteString(linkPath ?? "")) records += record("hdrcharset", "BINARY");
  if (path !== undefined) records += record("path", path);
  if (linkPath !== undefined) records += record("linkpath", linkPath);
  if (entry.sizeBytes > MAX_OCTAL_11) records += record("size", String(entry.sizeBytes));
  if (entry.uid > MAX_OCTAL_7) records += record("uid", String(entry.uid));
  if (entry.gid > MAX_OCTAL_7) records += record("gid", String(entry.gid));
  if (entry.mtimeNs < 0n || entry.mtimeNs % SECOND_NS !== 0n || entry.mtimeNs / SECOND_NS > MAX_OCTAL_11) {
    records += record("mtime", decimalSeconds(entry.mtimeNs));
  }
  return records;
}

/** ustar's `prefix` and `name`, or undefined where the path is not ASCII or does not fit. */
export function splitPath(path: string): { prefix: string; name: string } | undefined {
  if (!isAscii(path)) return undefined;
  if (path.length <= NAME_BYTES) return { prefix: "", name: path };
  if (path.length > NAME_BYTES + 1 + PREFIX_BYTES) return undefined;
  const slash = path.indexOf("/", path.length - NAME_BYTES - 1);
  if (slash <= 0 || slash > PREFIX_BYTES || slash === path.length - 1) return undefined;
  return { prefix: path.slice(0, slash), name: path.slice(slash + 1) };
}

/** `12 path=a/b\n`: the number counts the whole record, itself included. */
function record(key: string, value: string): string {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length += 1;
  return `${length} ${key}=${value}\n`;
}

const SECOND_NS = 1_000_000_000n;

/** `-1500000000` -> `-1.5`. */
function decimalSeconds(ns: bigint): string {
  const size = ns < 0n ? -ns : ns;
  const fraction = String(size % SECOND_NS)
    .padStart(9, "0")
    .replace(/0+$/, "");
  return `${ns < 0n ? "-" : ""}${size / SECOND_NS}${fraction === "" ? "" : `.${fraction}`}`;
}
