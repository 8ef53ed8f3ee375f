import type { EntryHeader } from "./header-fields.ts";
import { MAX_OCTAL_11, MAX_OCTAL_7, NAME_BYTES } from "./pax.ts";

/** ustar's records: fixed fields at fixed places, numbers as octal digits before a NUL. */

export const RECORD_BYTES = 512;

/** Where the fields begin. */
const FIELD = {
  mode: 100,
  uid: 108,
  gid: 116,
  size: 124,
  mtime: 136,
  checksum: 148,
  flag: 156,
  linkPath: 157,
  magic: 257,
  deviceMajor: 329,
  deviceMinor: 337,
  prefix: 345,
} as const;

const SPACE = 0x20;
const ZERO = 0x30;

/** A record with all texts empty and all numbers 0. No user and group names: ids are what a restore needs. */
const EMPTY = Buffer.from(
  [
    "".padEnd(FIELD.mode, "\0"),
    "0000000\x000000000\x000000000\x0000000000000\x0000000000000\0",
    // A checksum is made with spaces in its own place.
    "".padEnd(8, " "),
    "".padEnd(FIELD.magic - FIELD.flag, "\0"),
    "ustar\x0000".padEnd(FIELD.deviceMajor - FIELD.magic, "\0"),
    "0000000\x000000000\0".padEnd(RECORD_BYTES - FIELD.deviceMajor, "\0"),
  ].join(""),
  "latin1",
);
const EMPTY_SUM = EMPTY.reduce((sum, byte) => sum + byte, 0);

/** Writes an entry's record; `flag` is its type's. */
export function writeRecord(
  target: Buffer,
  at: number,
  entry: EntryHeader,
  prefix: string,
  name: string,
  flag: string,
): void {
  EMPTY.copy(target, at);
  let sum = EMPTY_SUM;
  sum += putText(target, at, name);
  sum += putOctal(target, at + FIELD.mode, 7, entry.mode);
  sum += putOctal(target, at + FIELD.uid, 7, entry.uid > MAX_OCTAL_7 ? 0 : entry.uid);
  sum += putOctal(target, at + FIELD.gid, 7, entry.gid > MAX_OCTAL_7 ? 0 : entry.gid);
  sum += putOctal(target, at + FIELD.size, 11, entry.sizeBytes > MAX_OCTAL_11 ? 0 : entry.sizeBytes);
  // Whole seconds as far as the field can say them; the rest is in the extended header.
  sum += putOctal(target, at + FIELD.mtime, 11, Math.max(0, Math.min(entry.mtimeSeconds, MAX_OCTAL_11)));
  sum += putText(target, at + FIELD.flag, flag);
  if (entry.linkPath !== "") sum += putText(target, at + FIELD.linkPath, entry.linkPath.slice(0, NAME_BYTES));
  sum += putOctal(target, at + FIELD.deviceMajor, 7, entry.deviceMajor);
  sum += putOctal(target, at + FIELD.deviceMinor, 7, entry.deviceMinor);
  if (prefix !== "") sum += putText(target, at + FIELD.prefix, prefix);
  putChecksum(target, at, sum);
}

/** Writes the record in front of an extended header of `bytes` bytes for the entry `path`. */
export function writePaxRecord(target: Buffer, at: number, path: string, bytes: number): void {
  EMPTY.copy(target, at);
  let sum = EMPTY_SUM;
  sum += putText(target, at, PAX_FOLDER);
  sum += putPrintable(target, at + PAX_FOLDER.length, path);
  sum += putOctal(target, at + FIELD.mode, 7, 0o644);
  sum += putOctal(target, at + FIELD.size, 11, bytes);
  sum += putText(target, at + FIELD.flag, "x");
  putChecksum(target, at, sum);
}

/** Readers that know no extended headers would extract them as files: these are their names. */
const PAX_FOLDER = "PaxHeaders/";
const PAX_NAME_BYTES = 80;

/** Short texts are copied faster here than by a call out of JavaScript. Gives what it adds to the record's sum. */
export function putText(target: Buffer, at: number, text: string): number {
  let sum = 0;
  for (let offset = 0; offset < text.length; offset += 1) {
    const code = text.charCodeAt(offset);
    target[at + offset] = code;
    sum += code;
  }
  return sum;
}

/** The beginning of a path's last part, with `_` for what can't be printed everywhere. */
function putPrintable(target: Buffer, at: number, path: string): number {
  const end = path.endsWith("/") ? path.length - 1 : path.length;
  const begin = path.lastIndexOf("/", end - 1) + 1;
  let sum = 0;
  for (let offset = begin; offset < Math.min(end, begin + PAX_NAME_BYTES); offset += 1) {
    const code = path.charCodeAt(offset);
    const shown = code >= SPACE && code <= 0x7e ? code : UNDERSCORE;
    target[at + offset - begin] = shown;
    sum += shown;
  }
  return sum;
}

const UNDERSCORE = 0x5f;

/** Over zeros; gives what it adds to the record's sum. */
function putOctal(target: Buffer, at: number, digits: number, value: number): number {
  let sum = 0;
  let offset = at + digits - 1;
  let rest = value;
  // Sizes may have more bits than a fast integer.
  for (; rest > 0x3fffffff; offset -= 1) {
    const higher = Math.floor(rest / 8);
    const digit = rest - higher * 8;
    target[offset] = ZERO + digit;
    sum += digit;
    rest = higher;
  }
  for (let bits = rest | 0; bits !== 0; bits >>= 3, offset -= 1) {
    const digit = bits & 7;
    target[offset] = ZERO + digit;
    sum += digit;
  }
  return sum;
}

/** Six digits, a NUL and the last space. */
function putChecksum(target: Buffer, at: number, sum: number): void {
  const field = at + FIELD.checksum;
  target.fill(ZERO, field, field + 6);
  putOctal(target, field, 6, sum);
  target[field + 6] = 0;
}
