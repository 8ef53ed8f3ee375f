/** Compresses blocks one after the other, in the thread that calls it. */
export interface BlockEngine {
  /** For the record: library, version where it is known, level. */
  readonly name: string;
  /**
   * Writes all of `input`'s first `bytes` compressed to the start of `output`, which has `outputCapacityBytes` of room, and
   * says how many bytes that are. @throws where the library fails
   */
  compress(input: ArrayBufferLike, bytes: number, output: ArrayBufferLike): number;
}

export interface ZstdSettings {
  readonly level: number;
  /** How far a frame looks back: 2 to the power of this, bytes. */
  readonly windowLog: number;
}

/** Compresses one stretch of a block into one gzip member. */
export interface MemberWriter {
  readonly name: string;
  /** Called before the members of a block, whose memory does not change until the next call. */
  begin(input: ArrayBufferLike, output: ArrayBufferLike): void;
  /** Deflates `input` from `from` to `to` into a member at `at` of `output`; gives the member's size. */
  deflate(from: number, to: number, at: number): number;
  /** The same for what does not compress: a member that holds it as it is. */
  store(from: number, to: number, at: number): number;
}

/** What a block of `bytes` may become at most: what does not compress, in many small members. */
export function outputCapacityBytes(bytes: number): number {
  return bytes + Math.ceil(bytes / 64) + 64 * 1024;
}
