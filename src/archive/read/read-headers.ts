/** Tar headers as bytes: ustar, PAX records and the GNU and star variants. No I/O; every fault is a `HeaderFault`. */

/** What is wrong with a header, for the reader to put into a sentence. */
export class HeaderFault extends Error {}

export interface RawHeader {
  readonly name: Buffer;
  readonly typeflag: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  readonly linkName: Buffer;
  readonly device: { readonly major: number; readonly minor: number };
}

export const BLOCK_BYTES = 512;

const CHECKSUM_START = 148;
const CHECKSUM_END = 156;

/** Whether these 512 bytes carry a right checksum, which nothing else does by chance. */
export function isTarHeader(block: Buffer): boolean {
  if (block.length < BLOCK_BYTES) return false;
  let stated: number;
  try {
    stated = numberField(block, CHECKSUM_START, 8);
  } catch {
    // Not a number: not a header.
    return false;
  }
  // The checksum itself counts as blanks.
  const blanks = (CHECKSUM_END - CHECKSUM_START) * 0x20;
  const sum = sumOf(block, 0, CHECKSUM_START) + blanks + sumOf(block, CHECKSUM_END, BLOCK_BYTES);
  if (stated === sum) return true;
  // Old programs added up signed bytes.
  const others = Buffer.concat([block.subarray(0, CHECKSUM_START), block.subarray(CHECKSUM_END, BLOCK_BYTES)]);
  return stated === sum - 0x100 * others.filter((byte) => byte >= 0x80).length;
}

function sumOf(block: Buffer, start: number, end: number): number {
  let sum = 0;
  for (let at = start; at < end; at += 1) sum += block[at] ?? 0;
  return sum;
}

/** @throws HeaderFault for a wrong checksum or an unreadable number */
export function parseHeader(block: Buffer): RawHeader {
  if (!isTarHeader(block)) throw new HeaderFault("a header's checksum is wrong");
  const typeflag = block.toString("latin1", 156, 157);
  const isDevice = typeflag === "3" || typeflag === "4";
  return {
    name: fullName(block),
    typeflag,
    mode: numberField(block, 100, 8) & 0o7777,
    uid: numberField(block, 108, 8),
    gid: numberField(block, 116, 8),
    sizeBytes: numberField(block, 124, 12),
    mtimeSeconds: numberField(block, 136, 12, nearestSafeNumber),
    linkName: textField(block, 157, 100),
    device: isDevice
      ? { major: numberField(block, 329, 8), minor: numberField(block, 337, 8) }
      : { major: 0, minor: 0 },
  };
}

/** `ustar\0` puts the front of a long name into `prefix`; there GNU tar keeps other things and star keeps times. */
function fullName(block: Buffer): Buffer {
  const name = textField(block, 0, 100);
  if (block.toString("latin1", 257, 263) !== "ustar\0") return name;
  const isStar = block.toString("latin1", 508, 512) === "tar\0";
  const prefix = textField(block, 345, isStar ? 131 : 155);
  return prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from("/"), name]);
}

function textField(block: Buffer, start: number, length: number): Buffer {
  return untilNul(block.subarray(start, start + length));
}

const NOTHING = Buffer.alloc(0);

/** A copy: blocks are views of buffers that would otherwise stay in memory. */
export function untilNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  if (end === 0) return NOTHING;
  return Buffer.from(end === -1 ? bytes : bytes.subarray(0, end));
}

/** Octal text, or (first bit set) a big-endian two's complement number. */
export function numberField(block: Buffer, start: number, length: number, ifLarge = safeNumber): number {
  const first = block[start] ?? 0;
  if ((first & 0x80) !== 0) {
    const isNegative = (first & 0x40) !== 0;
    let value = isNegative ? -1n : 0n;
    for (let at = start; at < start + length; at += 1) {
      const byte = at === start ? (first & 0x7f) | (isNegative ? 0x80 : 0) : (block[at] ?? 0);
      value = (value << 8n) | BigInt(byte);
    }
    return ifLarge(value);
  }
  // Blanks or NUL on both sides; what follows the first of them behind the digits is not looked at. A field has at most 12
  // digits of three bits, which a number holds exactly.
  const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0;
  const end = start + length;
  let at = start;
  while (at < end && isBlank(block[at] ?? 0)) at += 1;
  let value = 0;
  for (; at < end; at += 1) {
    const byte = block[at] ?? 0;
    if (byte < 0x30 || byte > 0x37) break;
    value = value * 8 + byte - 0x30;
  }
  if (at < end && !isBlank(block[at] ?? 0)) throw new HeaderFault("a header holds a number that is none");
  return value;
}

function safeNumber(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new HeaderFault("a header holds a number that is too large");
  return number;
}

/** These come once for each stretch of a file with holes (PAX 0.0); 0.1 has all of them in one record. */
const STRETCH_KEYS: ReadonlySet<string> = new Set(["GNU.sparse.offset", "GNU.sparse.numbytes"]);

/** For times, for which nobody loses a file. */
function nearestSafeNumber(value: bigint): number {
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(value)));
}

/**
 * Records of an extended header (`"<length> <key>=<value>\n"`, length in bytes and including itself), by key, values as bytes.
 * @throws HeaderFault for anything else
 */
export function parsePaxRecords(content: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  const stretches: string[] = [];
  // Some programs fill up with NUL.
  for (let at = 0; at < content.length && content[at] !== 0;) {
    const blank = content.indexOf(0x20, at);
    const lengthText = blank === -1 || blank - at > 10 ? "" : content.toString("latin1", at, blank);
    const end = at + Number(lengthText);
    const equals = content.indexOf(0x3d, blank);
    const isWhole = /^[1-9]\d*$/.test(lengthText) && end <= content.length && content[end - 1] === 0x0a;
    if (!isWhole || equals === -1 || equals >= end || equals === blank + 1) {
      throw new HeaderFault("an extended header is not readable");
    }
    const key = content.toString("utf8", blank + 1, equals);
    const value = Buffer.from(content.subarray(equals + 1, end - 1));
    if (STRETCH_KEYS.has(key)) stretches.push(value.toString("latin1"));
    else records.set(key, value);
    at = end;
  }
  if (stretches.length > 0) records.set("GNU.sparse.map", Buffer.from(stretches.join(",")));
  return records;
}

/** A whole number of a PAX record. */
export function paxNumber(value: Buffer): number {
  const text = value.toString("latin1");
  if (!/^-?\d{1,20}$/.test(text)) throw new HeaderFault("an extended header holds a number that is none");
  return safeNumber(BigInt(text));
}

/**
 * `-1.5` -> -1500000000n: seconds with any number of decimals, cut at nanoseconds towards the past. Undefined for what is no
 * such number (`1e-07`, which Python writes).
 */
export function paxTimeNs(value: Buffer): bigint | undefined {
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(value.toString("latin1"));
  if (match === null) return undefined;
  const [, sign, seconds = "0", fraction = ""] = match;
  const nanoseconds = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, "0"));
  if (sign === "") return nanoseconds;
  return /[1-9]/.test(fraction.slice(9)) ? -nanoseconds - 1n : -nanoseconds;
}
