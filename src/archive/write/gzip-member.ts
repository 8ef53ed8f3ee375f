import { crc32 } from "node:zlib";

/** RFC 1952: magic, deflate, no flags, no time, "maximum compression" unset, Unix. */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);
/** RFC 1951, 3.2.4: a stored block holds at most this much. */
const STORED_MAX_BYTES = 65_535;

/** Makes a member that zlib wrote say the same on every platform and level: no hint, Unix. */
export function fixGzipHeader(member: Uint8Array): void {
  member.set(HEADER.subarray(8), 8);
}

/** A gzip member that holds `block` as it is: 5 bytes in 64 KiB larger. */
export function storedGzipMember(block: Uint8Array): Uint8Array {
  const pieces = Math.max(1, Math.ceil(block.length / STORED_MAX_BYTES));
  const member = Buffer.allocUnsafeSlow(HEADER.length + pieces * 5 + block.length + 8);
  member.set(HEADER, 0);
  let at = HEADER.length;
  for (let piece = 0; piece < pieces; piece += 1) {
    const content = block.subarray(piece * STORED_MAX_BYTES, (piece + 1) * STORED_MAX_BYTES);
    member[at] = piece === pieces - 1 ? 1 : 0;
    member.writeUInt16LE(content.length, at + 1);
    member.writeUInt16LE(content.length ^ 0xffff, at + 3);
    member.set(content, at + 5);
    at += 5 + content.length;
  }
  member.writeUInt32LE(crc32(block) >>> 0, at);
  member.writeUInt32LE(block.length >>> 0, at + 4);
  return member;
}
