/** What the main side and a compress worker say to each other. All buffers are transferred. */

/** The thread is to end itself. */
export const END = "end";

export interface CompressRequest {
  readonly input: ArrayBuffer;
  readonly bytes: number;
  readonly output: ArrayBuffer;
}

export interface CompressReply {
  readonly input: ArrayBuffer;
  readonly output: ArrayBuffer;
  readonly outputBytes: number;
  /** Of the output. */
  readonly sha256: Uint8Array;
  /** The engine's name. */
  readonly name: string;
}
