/** RFC 1952: magic, deflate, no flags, no time, "maximum compression" unset, Unix. */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);
/** RFC 1951, 3.2.4: a stored block holds at most this much. */
const STORED_MAX_BYTES = 65_535;

/** Makes a member that a library wrote say the same on every platform and level: no hint, Unix. */
export function fixGzipHeader(member: Uint8Array, at: number): void {
  member[at + 8] = 0;
  member[at + 9] = 3;
}

/** Writes a gzip member that holds `content` as it is at `start`: 5 bytes in 64 KiB larger. Gives the member's size. */
export function writeStoredMember(content: Uint8Array, crc32: number, output: Buffer, start: number): number {
  const pieces = Math.max(1, Math.ceil(content.length / STORED_MAX_BYTES));
  output.set(HEADER, start);
  let at = start + HEADER.length;
  for (let piece = 0; piece < pieces; piece += 1) {
    const part = content.subarray(piece * STORED_MAX_BYTES, (piece + 1) * STORED_MAX_BYTES);
    output[at] = piece === pieces - 1 ? 1 : 0;
    output.writeUInt16LE(part.length, at + 1);
    output.writeUInt16LE(part.length ^ 0xffff, at + 3);
    output.set(part, at + 5);
    at += 5 + part.length;
  }
  output.writeUInt32LE(crc32, at);
  output.writeUInt32LE(content.length, at + 4);
  return at + 8 - start;
}
