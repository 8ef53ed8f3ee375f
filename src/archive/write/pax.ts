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
 * ustar says it all. It depends on nothing but the entry. `fitsUstar`: `splitPath` found a way to store the path.
 */
export function paxRecords(entry: EntryHeader, fitsUstar: boolean): string {
  let records = "";
  const path = fitsUstar ? undefined : entry.path;
  const linkPath = entry.linkPath.length > NAME_BYTES || !isAscii(entry.linkPath) ? entry.linkPath : undefined;
  // Without this a pax value is UTF-8 by definition.
  if (!isUtf8ByteString(path ?? "") || !isUtf8ByteString(linkPath ?? "")) records += record("hdrcharset", "BINARY");
  if (path !== undefined) records += record("path", path);
  if (linkPath !== undefined) records += record("linkpath", linkPath);
  if (entry.sizeBytes > MAX_OCTAL_11) records += record("size", String(entry.sizeBytes));
  if (entry.uid > MAX_OCTAL_7) records += record("uid", String(entry.uid));
  if (entry.gid > MAX_OCTAL_7) records += record("gid", String(entry.gid));
  const { mtimeSeconds, mtimeNanoseconds } = entry;
  if (mtimeNanoseconds !== 0 || mtimeSeconds < 0 || mtimeSeconds > MAX_OCTAL_11) {
    records += record("mtime", decimalSeconds(mtimeSeconds, mtimeNanoseconds));
  }
  return records;
}

export interface SplitPath {
  readonly prefix: string;
  readonly name: string;
}

/** ustar's `prefix` and `name`, or undefined where the path is not ASCII or does not fit. */
export function splitPath(path: string): SplitPath | undefined {
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

/** -2 s and 500,000,000 ns -> `-1.5`. */
function decimalSeconds(seconds: number, nanoseconds: number): string {
  const isBefore1970 = seconds < 0;
  const wholeSeconds = isBefore1970 && nanoseconds > 0 ? -seconds - 1 : Math.abs(seconds);
  const fraction = isBefore1970 && nanoseconds > 0 ? SECOND_NS - nanoseconds : nanoseconds;
  return `${isBefore1970 ? "-" : ""}${wholeSeconds}${fraction === 0 ? "" : `.${digitsOf(fraction)}`}`;
}

const SECOND_NS = 1_000_000_000;

/** Nine digits without the zeros at the end. */
function digitsOf(fraction: number): string {
  const digits = String(SECOND_NS + fraction);
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === ZERO) end -= 1;
  return digits.slice(1, end);
}

const ZERO = 0x30;
