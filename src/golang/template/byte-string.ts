/*
 * Go strings are bytes. Inside this module they are JavaScript strings of one character per byte ("byte strings"), so that
 * lengths, indexes, slices and comparisons are Go's own; text is decoded where Go looks at runes.
 */

/** One character (U+0000 to U+00FF) per byte. */
export type ByteString = string;

export function toBytes(text: string): ByteString {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** Bytes that are no UTF-8 become U+FFFD. */
export function fromBytes(bytes: ByteString): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

export const RUNE_ERROR = 0xfffd;

/** The rune that begins at `at`: U+FFFD of one byte where the bytes are not valid UTF-8, as Go decodes. */
export function decodeRune(bytes: ByteString, at: number): { readonly rune: number; readonly size: number } {
  const lead = bytes.charCodeAt(at);
  if (lead < 0x80) return { rune: lead, size: 1 };
  const size = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (size === 0 || at + size > bytes.length) return { rune: RUNE_ERROR, size: 1 };
  let rune = lead & (0xff >> (size + 1));
  for (let offset = 1; offset < size; offset += 1) {
    const next = bytes.charCodeAt(at + offset);
    if ((next & 0xc0) !== 0x80) return { rune: RUNE_ERROR, size: 1 };
    rune = (rune << 6) | (next & 0x3f);
  }
  const isOverlong = (size === 3 && rune < 0x800) || (size === 4 && rune < 0x10000);
  if (isOverlong || rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff)) return { rune: RUNE_ERROR, size: 1 };
  return { rune, size };
}

/** UTF-8 of a rune; what is no rune becomes U+FFFD. */
export function encodeRune(rune: number): ByteString {
  const isRune = rune >= 0 && rune <= 0x10ffff && !(rune >= 0xd800 && rune <= 0xdfff);
  return toBytes(String.fromCodePoint(isRune ? rune : RUNE_ERROR));
}

export function* runesOf(
  bytes: ByteString,
): Generator<{ readonly rune: number; readonly at: number; readonly size: number }> {
  for (let at = 0; at < bytes.length;) {
    const { rune, size } = decodeRune(bytes, at);
    yield { rune, at, size };
    at += size;
  }
}

export function runeCount(bytes: ByteString): number {
  let count = 0;
  for (const _rune of runesOf(bytes)) count += 1;
  return count;
}

/** Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols, and the ASCII space. */
export function isPrint(rune: number): boolean {
  return rune === 0x20 || (rune <= 0x10ffff && /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(String.fromCodePoint(rune)));
}
