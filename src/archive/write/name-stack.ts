import { sortPacked } from "./sort-packed.ts";

/** The kernel's `d_type`, as far as it matters; a listing is only a hint, and some file systems give none. */
export const LISTED = { unknown: 0, folder: 4, file: 8 } as const;

/**
 * The names of all folders on the way to the current one, those of the lowest folder on top, packed: a folder of a
 * million files needs no million strings but the names' own bytes and `OVERHEAD_BYTES` each.
 */
export interface NameStack {
  /** Begins the list of one more folder. */
  push(): void;
  /** Adds the name that lies at `from`, up to a NUL or the end, to the top list; `.` and `..` are no names. */
  add(type: number, source: Uint8Array, from: number): void;
  /** Puts the top list into byte order, after its last `add`. */
  sort(): void;
  /** The top list's next name, as a byte string; undefined after the last one. */
  next(): string | undefined;
  /** What the listing said about the name that `next` gave last. */
  readonly listedAs: number;
  /** Forgets the top list. */
  pop(): void;
  /** Memory held, for tests. */
  readonly capacityBytes: number;
}

/** Length (16 bits: FUSE allows more than 255 bytes) and type before the name, NUL behind it, its position in the order. */
export const OVERHEAD_BYTES = 8;

/** Offsets of a packed name's parts. */
const TYPE = 2;
const NAME = 3;

/** More than a name's packed form takes: the kernel gives none of 4096 bytes. */
const MOST_BYTES = 4096 + OVERHEAD_BYTES;
const FIRST_BYTES = 64 * 1024;
const FIRST_NAMES = 2048;
const DOT = 0x2e;

interface List {
  readonly firstByte: number;
  readonly firstName: number;
  next: number;
}

export function createNameStack(): NameStack {
  let bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  let order = new Uint32Array(FIRST_NAMES);
  let bytesUsed = 0;
  let namesUsed = 0;
  let listedAs: number = LISTED.unknown;
  const lists: List[] = [];

  const makeRoom = (): void => {
    if (bytesUsed + MOST_BYTES > bytes.length) {
      const larger = Buffer.allocUnsafeSlow(bytes.length * 2);
      bytes.copy(larger, 0, 0, bytesUsed);
      bytes = larger;
    }
    if (namesUsed === order.length) {
      const larger = new Uint32Array(order.length * 2);
      larger.set(order);
      order = larger;
    }
  };

  return {
    get listedAs() {
      return listedAs;
    },
    get capacityBytes() {
      return bytes.length + order.byteLength;
    },
    push() {
      lists.push({ firstByte: bytesUsed, firstName: namesUsed, next: namesUsed });
    },
    add(type, source, from) {
      makeRoom();
      let at = bytesUsed + NAME;
      for (let offset = from, byte = source[offset] ?? 0; byte !== 0 && at < bytesUsed + MOST_BYTES - 1;) {
        bytes[at] = byte;
        at += 1;
        offset += 1;
        byte = source[offset] ?? 0;
      }
      const length = at - bytesUsed - NAME;
      if (source[from] === DOT && (length === 1 || (length === 2 && source[from + 1] === DOT))) return;
      order[namesUsed] = bytesUsed;
      namesUsed += 1;
      bytes[bytesUsed] = length & 0xff;
      bytes[bytesUsed + 1] = length >> 8;
      bytes[bytesUsed + TYPE] = type;
      bytes[at] = 0;
      bytesUsed = at + 1;
    },
    sort() {
      sortPacked(order, lists.at(-1)?.firstName ?? 0, namesUsed, bytes, NAME);
    },
    next() {
      const list = lists.at(-1);
      if (list === undefined || list.next === namesUsed) return undefined;
      const position = order[list.next] ?? 0;
      list.next += 1;
      listedAs = bytes[position + TYPE] ?? 0;
      const length = (bytes[position] ?? 0) + (bytes[position + 1] ?? 0) * 256;
      return bytes.toString("latin1", position + NAME, position + NAME + length);
    },
    pop() {
      const list = lists.pop();
      if (list === undefined) return;
      bytesUsed = list.firstByte;
      namesUsed = list.firstName;
    },
  };
}
