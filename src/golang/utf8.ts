import { isUtf8 } from "node:buffer";

/** Text as Go's `range` over a string sees it: each byte that belongs to no valid sequence is one U+FFFD. */
export interface GoText {
  readonly text: string;
  /** Byte offset of a position in `text`. */
  byteOffsetAt(index: number): number;
}

/** The text alone; the offsets cost a walk over it. */
export function goText(input: string | Uint8Array): string {
  if (typeof input === "string") return input.toWellFormed();
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  return isUtf8(bytes) ? bytes.toString("utf8") : [...pieces(bytes)].map(([text]) => text).join("");
}

export function goTextWithOffsets(input: string | Uint8Array): GoText {
  const bytes =
    typeof input === "string" ? Buffer.from(input) : Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  const parts = [...pieces(bytes)];
  return {
    text: parts.map(([text]) => text).join(""),
    byteOffsetAt: (index) => {
      let position = 0;
      let offset = 0;
      for (const [text, byteLength] of parts) {
        if (position >= index) break;
        position += text.length;
        offset += byteLength;
      }
      return offset;
    },
  };
}

/** Characters with the bytes that each takes. */
function* pieces(bytes: Buffer): Generator<readonly [text: string, byteLength: number]> {
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes[at] ?? 0);
    const sequence = bytes.subarray(at, at + length);
    const isValid = length > 0 && sequence.length === length && isUtf8(sequence);
    yield isValid ? [sequence.toString("utf8"), length] : ["\ufffd", 1];
    at += isValid ? length : 1;
  }
}

/** What a first byte announces; 0 where it cannot be one. */
function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}
