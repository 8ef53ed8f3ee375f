import { parseZoneRule } from "./zone-rule.ts";
import type { Zone } from "./zone-type.ts";

/** Compiled zone files (RFC 9636), read as Go reads them: leap seconds and the indicators are ignored. */

interface LocalTimeType {
  readonly offsetSeconds: number;
  readonly isDaylight: boolean;
  readonly abbreviation: string;
}

interface Counts {
  readonly transitions: number;
  readonly types: number;
  readonly characters: number;
  /** Bytes of the block behind its header. */
  readonly size: number;
}

const HEADER_BYTES = 44;
const TYPE_BYTES = 6;

/** Reads the 64-bit block of a version 2 (or later) file, or the only block of a version 1 file; undefined if it is none. */
export function parseTzif(file: Buffer): Zone | undefined {
  const first = readCounts(file, 0, 4);
  if (first === undefined) return undefined;
  const isWide = (file[4] ?? 0) >= 0x32; // "2"
  const start = isWide ? HEADER_BYTES + first.size : 0;
  const timeBytes = isWide ? 8 : 4;
  const counts = isWide ? readCounts(file, start, timeBytes) : first;
  if (counts === undefined || counts.types === 0) return undefined;

  const timesAt = start + HEADER_BYTES;
  const indexAt = timesAt + counts.transitions * timeBytes;
  const typesAt = indexAt + counts.transitions;
  const charactersAt = typesAt + counts.types * TYPE_BYTES;
  const times = new Float64Array(counts.transitions);
  for (let i = 0; i < times.length; i += 1) {
    const at = timesAt + i * timeBytes;
    times[i] = isWide ? Number(file.readBigInt64BE(at)) : file.readInt32BE(at);
  }
  const indexes = Uint8Array.from(file.subarray(indexAt, typesAt));
  const types: LocalTimeType[] = [];
  for (let at = typesAt; at < charactersAt; at += TYPE_BYTES) {
    const nameAt = charactersAt + file.readUInt8(at + 5);
    types.push({
      offsetSeconds: file.readInt32BE(at),
      isDaylight: file.readUInt8(at + 4) !== 0,
      abbreviation: file.toString("latin1", nameAt, file.indexOf(0, nameAt)),
    });
  }
  if (indexes.some((index) => index >= types.length)) return undefined;
  const footer = isWide ? file.toString("latin1", start + HEADER_BYTES + counts.size).split("\n")[1] : undefined;
  return zoneOf(times, indexes, types, footer ?? "");
}

function readCounts(file: Buffer, at: number, timeBytes: number): Counts | undefined {
  if (file.length < at + HEADER_BYTES || file.toString("latin1", at, at + 4) !== "TZif") return undefined;
  const [utcFlags = 0, standardFlags = 0, leaps = 0, transitions = 0, types = 0, characters = 0] = [
    20, 24, 28, 32, 36, 40,
  ].map((offset) => file.readUInt32BE(at + offset));
  const size =
    transitions * (timeBytes + 1) +
    types * TYPE_BYTES +
    characters +
    leaps * (timeBytes + 4) +
    standardFlags +
    utcFlags;
  return at + HEADER_BYTES + size > file.length ? undefined : { transitions, types, characters, size };
}

function zoneOf(times: Float64Array, indexes: Uint8Array, types: readonly LocalTimeType[], footer: string): Zone {
  const rule = footer === "" ? undefined : parseZoneRule(footer);
  const beforeAll = typeBeforeAll(indexes, types);
  // A schedule asks for many instants close to each other.
  let spanStart = Infinity;
  let spanEnd = -Infinity;
  let spanType = beforeAll;

  function typeAt(epochSeconds: number): { readonly offsetSeconds: number; readonly abbreviation: string } {
    if (epochSeconds >= spanStart && epochSeconds < spanEnd) return spanType;
    const last = times.length - 1;
    const index = lastAtOrBefore(times, epochSeconds);
    if (rule !== undefined && index === last) return rule(epochSeconds);
    spanStart = index < 0 ? -Infinity : (times[index] ?? -Infinity);
    spanEnd = times[index + 1] ?? Infinity;
    spanType = types[indexes[index] ?? -1] ?? beforeAll;
    return spanType;
  }
  return {
    offsetAt: (epochSeconds) => typeAt(epochSeconds).offsetSeconds,
    abbreviationAt: (epochSeconds) => typeAt(epochSeconds).abbreviation,
  };
}

/** Go's choice for instants before the first transition. */
function typeBeforeAll(indexes: Uint8Array, types: readonly LocalTimeType[]): LocalTimeType {
  const fallback = types[0] ?? { offsetSeconds: 0, isDaylight: false, abbreviation: "UTC" };
  if (!indexes.includes(0)) return fallback;
  const firstIndex = indexes[0] ?? 0;
  if (types[firstIndex]?.isDaylight === true) {
    const standard = types.slice(0, firstIndex).findLast((type) => !type.isDaylight);
    if (standard !== undefined) return standard;
  }
  return types.find((type) => !type.isDaylight) ?? fallback;
}

/** Index of the largest time that is not above `value`, -1 if there is none. */
function lastAtOrBefore(times: Float64Array, value: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? Infinity) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
