import { padded } from "./blocks.ts";
import { MAX_OCTAL_11, MAX_OCTAL_7, NAME_BYTES, paxRecords, splitPath } from "./pax.ts";
import { type EntryHeader, TYPE_FLAGS } from "./header-fields.ts";

export type { EntryHeader, TarType } from "./header-fields.ts";

/** A header ready to be written; `bytes` is a multiple of 512. */
export interface PreparedHeader {
  readonly entry: EntryHeader;
  readonly pax: string;
  readonly bytes: number;
}

/** Decides which headers an entry needs, so that their size is known before a block is chosen. */
export function prepareHeader(entry: EntryHeader): PreparedHeader {
  const pax = paxRecords(entry);
  return { entry, pax, bytes: pax === "" ? 512 : 1024 + padded(pax.length) };
}

/** Writes the header, extended header first, at `at`; the target must have `prepared.bytes` of room. */
export function writeHeader(target: Buffer, at: number, prepared: PreparedHeader): void {
  const { entry, pax } = prepared;
  target.fill(0, at, at + prepared.bytes);
  let position = at;
  if (pax !== "") {
    writeUstar(target, position, {
      ...entry,
      prefix: "",
      name: paxHeaderName(entry.path),
      flag: "x",
      mode: 0o644,
      uid: 0,
      gid: 0,
      sizeBytes: pax.length,
      mtimeNs: 0n,
      linkPath: "",
      deviceMajor: 0,
      deviceMinor: 0,
    });
    target.write(pax, position + 512, "latin1");
    position += 512 + padded(pax.length);
  }
  // Where a path does not fit, readers take it from the extended header; older ones see its beginning.
  const parts = splitPath(entry.path) ?? { prefix: "", name: entry.path.slice(0, NAME_BYTES) };
  writeUstar(target, position, { ...entry, ...parts, flag: TYPE_FLAGS[entry.type] });
}

interface UstarFields extends Omit<EntryHeader, "type" | "path"> {
  readonly prefix: string;
  readonly name: string;
  readonly flag: string;
}

function writeUstar(target: Buffer, at: number, fields: UstarFields): void {
  target.write(fields.name, at, "latin1");
  octal(target, at + 100, 7, fields.mode);
  octal(target, at + 108, 7, fields.uid > MAX_OCTAL_7 ? 0 : fields.uid);
  octal(target, at + 116, 7, fields.gid > MAX_OCTAL_7 ? 0 : fields.gid);
  octal(target, at + 124, 11, fields.sizeBytes > MAX_OCTAL_11 ? 0 : fields.sizeBytes);
  octal(target, at + 136, 11, ustarTime(fields.mtimeNs));
  target.write("        ", at + 148, "latin1");
  target.write(fields.flag, at + 156, "latin1");
  target.write(fields.linkPath.slice(0, NAME_BYTES), at + 157, "latin1");
  // Magic with its NUL, version "00"; no user and group names, as ids are what a restore needs.
  target.write("ustar\u000000", at + 257, "latin1");
  octal(target, at + 329, 7, fields.deviceMajor);
  octal(target, at + 337, 7, fields.deviceMinor);
  target.write(fields.prefix, at + 345, "latin1");
  let sum = 0;
  for (let offset = at; offset < at + 512; offset += 1) sum += target[offset] ?? 0;
  octal(target, at + 148, 6, sum);
  target[at + 154] = 0;
}

/** Digits only: the field's last byte stays NUL. */
function octal(target: Buffer, at: number, digits: number, value: number): void {
  target.write(value.toString(8).padStart(digits, "0"), at, "latin1");
}

/** Whole seconds as far as the field can say them; the rest is in the extended header. */
function ustarTime(mtimeNs: bigint): number {
  return mtimeNs < 0n ? 0 : Math.min(Number(mtimeNs / 1_000_000_000n), MAX_OCTAL_11);
}

/** A name for readers that know no extended headers and would extract it as a file. */
function paxHeaderName(path: string): string {
  const trimmed = path.endsWith("/") ? path.slice(0, -1) : path;
  const last = trimmed.slice(trimmed.lastIndexOf("/") + 1);
  return `PaxHeaders/${last.slice(0, 80).replaceAll(/[^\u0020-\u007e]/g, "_")}`;
}

/** The two empty records that end an archive. */
export const END_BYTES = 1024;
