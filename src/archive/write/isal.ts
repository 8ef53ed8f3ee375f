import type { MemberWriter } from "./block-engine.ts";
import { writeStoredMember } from "./gzip-member.ts";
import { loadNativeLibrary } from "../../lib/native-library.ts";

/** Offsets in `struct isal_zstream` (igzip_lib.h; the same in all libraries called `libisal.so.2`), 64-bit machines. */
const STREAM = {
  nextIn: 0,
  availableIn: 8,
  nextOut: 16,
  availableOut: 24,
  totalOut: 28,
  level: 40,
  levelBufferBytes: 44,
  levelBuffer: 48,
  endOfStream: 56,
  gzipFlag: 60,
} as const;
/** Three times what version 2.30 needs (82,384); the library offers no way to ask. What is left untouched is checked. */
const STREAM_BYTES = 256 * 1024;
const UNTOUCHED_BYTES = 64 * 1024;
const UNTOUCHED = 0xa5;
/** More than the largest size that is of use at any level (610,304). */
const LEVEL_BUFFER_BYTES = 1024 * 1024;
const IGZIP_GZIP = 1;

/** Intel's ISA-L, several times as fast as others. Rejects where the library can't be used. */
export async function loadIsal(level: number): Promise<MemberWriter> {
  const library = await loadNativeLibrary("libisal.so.2");
  const initialize = library.call("isal_deflate_stateless_init", "void", ["uintptr_t"]);
  const deflate = library.call("isal_deflate_stateless", "int", ["uintptr_t"]);
  const crc32 = library.call("crc32_gzip_refl", "uint32_t", ["uint32_t", "uintptr_t", "uint64_t"]);
  // One piece of memory for both, and the views of it keep it: the library knows only addresses.
  const memory = new ArrayBuffer(STREAM_BYTES + LEVEL_BUFFER_BYTES);
  const fields = new DataView(memory);
  const untouched = Buffer.alloc(UNTOUCHED_BYTES, UNTOUCHED);
  const beyondState = Buffer.from(memory, STREAM_BYTES - UNTOUCHED_BYTES, UNTOUCHED_BYTES);
  beyondState.set(untouched);
  const streamAddress = library.addressOf(memory);
  const levelBufferAddress = streamAddress + STREAM_BYTES;
  const setAddress = (offset: number, address: number): void => fields.setBigUint64(offset, BigInt(address), true);
  let content: Uint8Array = new Uint8Array(0);
  let target: Buffer = Buffer.alloc(0);
  let inputAddress = 0;
  let outputAddress = 0;
  return {
    name: `ISA-L ${library.fileVersion ?? ""} level ${level}`.replace("  ", " "),
    begin(input, output) {
      if (!beyondState.equals(untouched)) throw new Error("ISA-L wrote beyond its state");
      content = new Uint8Array(input);
      target = Buffer.from(output);
      inputAddress = library.addressOf(input);
      outputAddress = library.addressOf(output);
    },
    deflate(from, to, at) {
      initialize(streamAddress);
      setAddress(STREAM.nextIn, inputAddress + from);
      fields.setUint32(STREAM.availableIn, to - from, true);
      setAddress(STREAM.nextOut, outputAddress + at);
      fields.setUint32(STREAM.availableOut, target.length - at, true);
      fields.setUint32(STREAM.level, level, true);
      fields.setUint32(STREAM.levelBufferBytes, LEVEL_BUFFER_BYTES, true);
      setAddress(STREAM.levelBuffer, levelBufferAddress);
      fields.setUint16(STREAM.endOfStream, 1, true);
      fields.setUint16(STREAM.gzipFlag, IGZIP_GZIP, true);
      const code = deflate(streamAddress);
      if (code !== 0) throw new Error(`ISA-L fails with code ${code} on ${to - from} bytes`);
      return fields.getUint32(STREAM.totalOut, true);
    },
    store: (from, to, at) =>
      writeStoredMember(content.subarray(from, to), crc32(0, inputAddress + from, to - from), target, at),
  };
}
