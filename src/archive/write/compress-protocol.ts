/** What the main side and a compress worker say to each other. Whoever was told of a buffer last owns it. */

/** The thread is to end itself. */
export const END = "end";

export interface CompressRequest {
  readonly input: SharedArrayBuffer;
  readonly bytes: number;
  readonly output: SharedArrayBuffer;
}

export interface CompressReply {
  readonly input: SharedArrayBuffer;
  readonly output: SharedArrayBuffer;
  readonly outputBytes: number;
  /** Of the output. */
  readonly sha256: Uint8Array;
  /** The engine's name. */
  readonly name: string;
}
