/** More than any name that a listing gives or a file system takes. */
const LONGEST_NAME = 4096;

/** A place in memory for the name that a C function is to be given. */
export interface NativeName {
  readonly address: number;
  /** Puts a byte string there, with NUL at its end; false where it is no name. */
  put(text: string): boolean;
}

export function createNativeName(addressOf: (buffer: ArrayBufferLike) => number): NativeName {
  const bytes = new Uint8Array(new ArrayBuffer(LONGEST_NAME));
  return {
    address: addressOf(bytes.buffer),
    put(text) {
      const { length } = text;
      if (length >= LONGEST_NAME) return false;
      for (let at = 0; at < length; at += 1) bytes[at] = text.charCodeAt(at);
      bytes[length] = 0;
      return true;
    },
  };
}
