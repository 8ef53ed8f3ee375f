import { isUtf8 } from "node:buffer";

/**
 * Inside the walk a path is a "byte string": a string with one character (0 to 255) for each byte. Names need not be
 * UTF-8, such strings compare in byte order, take one byte a character, and need no conversion where they are ASCII.
 */

// oxlint-disable-next-line no-control-regex -- the range of ASCII
const ASCII = /^[\u0000-\u007f]*$/;

export function isAscii(bytes: string): boolean {
  return ASCII.test(bytes);
}

/** ASCII counts as UTF-8. */
export function isUtf8ByteString(bytes: string): boolean {
  return isAscii(bytes) || isUtf8(Buffer.from(bytes, "latin1"));
}

/** What Node's `fs` functions take: the string itself where that means the same bytes. */
export function asFsPath(bytes: string): string | Buffer {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, "latin1");
}

/** From ordinary text, as UTF-8. */
export function byteString(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}
