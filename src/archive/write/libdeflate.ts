import type { MemberWriter } from "./block-engine.ts";
import { loadNativeLibrary } from "../../lib/native-library.ts";

/** Stores without compressing, with the checksum computed as fast as the machine can. */
const STORED_LEVEL = 0;

/** Rejects where the library can't be used. Its compressors live as long as the thread. */
export async function loadLibdeflate(level: number): Promise<MemberWriter> {
  const library = await loadNativeLibrary("libdeflate.so.0");
  const allocate = library.call("libdeflate_alloc_compressor", "uintptr_t", ["int"]);
  const gzip = library.call("libdeflate_gzip_compress", "size_t", [
    "uintptr_t",
    "uintptr_t",
    "size_t",
    "uintptr_t",
    "size_t",
  ]);
  const allocateChecked = (wanted: number): number => {
    const compressor = allocate(wanted);
    if (compressor === 0) throw new Error(`libdeflate gives no compressor of level ${wanted}`);
    return compressor;
  };
  const deflating = allocateChecked(level);
  const storing = allocateChecked(STORED_LEVEL);
  let inputAddress = 0;
  let outputAddress = 0;
  let outputBytes = 0;
  const write = (compressor: number, from: number, to: number, at: number): number => {
    const size = gzip(compressor, inputAddress + from, to - from, outputAddress + at, outputBytes - at);
    if (size === 0) throw new Error(`libdeflate found too little room for ${to - from} bytes`);
    return size;
  };
  return {
    name: `libdeflate level ${level}`,
    begin(input, output) {
      inputAddress = library.addressOf(input);
      outputAddress = library.addressOf(output);
      outputBytes = output.byteLength;
    },
    deflate: (from, to, at) => write(deflating, from, to, at),
    store: (from, to, at) => write(storing, from, to, at),
  };
}
