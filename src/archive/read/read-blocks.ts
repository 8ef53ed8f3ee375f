import { BLOCK_BYTES } from "./read-headers.ts";

/** A byte stream taken in pieces of chosen sizes, without copying more than needed. */
export interface BlockReader {
  /** Bytes taken so far. */
  offset(): number;
  /** Exactly `bytes`, or fewer at the end of the stream. The buffer is a view: copy what outlives the next call. */
  take(bytes: number): Promise<Buffer>;
  /** The next `bytes` in pieces as they come; ends early at the end of the stream. */
  pieces(bytes: number): AsyncGenerator<Buffer, void, undefined>;
  /** Passes over `bytes`; returns how many there were. */
  skip(bytes: number): Promise<number>;
}

export function createBlockReader(chunks: AsyncIterator<Buffer, void>): BlockReader {
  let current: Buffer = Buffer.alloc(0);
  let at = 0;
  let offset = 0;

  /** True while there is at least one byte. */
  const fill = async (): Promise<boolean> => {
    while (at >= current.length) {
      const next = await chunks.next();
      if (next.done === true) return false;
      current = next.value;
      at = 0;
    }
    return true;
  };
  const cut = (bytes: number): Buffer => {
    const piece = current.subarray(at, at + bytes);
    at += piece.length;
    offset += piece.length;
    return piece;
  };

  return {
    offset: () => offset,
    async take(bytes) {
      if (current.length - at >= bytes) return cut(bytes);
      const parts: Buffer[] = [];
      let missing = bytes;
      while (missing > 0 && (await fill())) {
        const part = cut(missing);
        parts.push(part);
        missing -= part.length;
      }
      return Buffer.concat(parts);
    },
    async *pieces(bytes) {
      for (let missing = bytes; missing > 0 && (await fill());) {
        const piece = cut(missing);
        missing -= piece.length;
        yield piece;
      }
    },
    async skip(bytes) {
      let missing = bytes;
      while (missing > 0 && (await fill())) missing -= cut(missing).length;
      return bytes - missing;
    },
  };
}

/** How much padding follows content of this size. */
export function paddingOf(sizeBytes: number): number {
  return (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

export function isZeroBlock(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}
