import { padded } from "./blocks.ts";
import { type EntryHeader, TYPE_FLAGS } from "./header-fields.ts";
import { NAME_BYTES, type SplitPath, paxRecords, splitPath } from "./pax.ts";
import { RECORD_BYTES, putText, writePaxRecord, writeRecord } from "./ustar.ts";
import { writeZeros } from "./zeros.ts";

export type { EntryHeader, TarType } from "./header-fields.ts";

/** A header ready to be written; `bytes` is a multiple of 512. */
export interface PreparedHeader {
  readonly entry: EntryHeader;
  /** Undefined where the path does not fit ustar's fields. */
  readonly parts: SplitPath | undefined;
  readonly pax: string;
  readonly bytes: number;
}

/** Decides which headers an entry needs, so that their size is known before a block is chosen. */
export function prepareHeader(entry: EntryHeader): PreparedHeader {
  const parts = splitPath(entry.path);
  const pax = paxRecords(entry, parts !== undefined);
  return { entry, parts, pax, bytes: pax === "" ? RECORD_BYTES : 2 * RECORD_BYTES + padded(pax.length) };
}

/** Writes the header, extended header first, at `at`; the target must have `prepared.bytes` of room. */
export function writeHeader(target: Buffer, at: number, prepared: PreparedHeader): void {
  const { entry, pax, parts } = prepared;
  let position = at;
  if (pax !== "") {
    writePaxRecord(target, position, entry.path, pax.length);
    position += RECORD_BYTES;
    const end = position + padded(pax.length);
    putText(target, position, pax);
    writeZeros(target, position + pax.length, end);
    position = end;
  }
  // Where a path does not fit, readers take it from the extended header; older ones see its beginning.
  const name = parts?.name ?? entry.path.slice(0, NAME_BYTES);
  writeRecord(target, position, entry, parts?.prefix ?? "", name, TYPE_FLAGS[entry.type]);
}

/** The two empty records that end an archive. */
export const END_BYTES = 1024;
