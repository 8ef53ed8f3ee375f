import type { BlockEngine, ZstdSettings } from "./block-engine.ts";
import { loadNativeLibrary } from "../../lib/native-library.ts";

/** `ZSTD_cParameter` (zstd.h). */
const COMPRESSION_LEVEL = 100;
const WINDOW_LOG = 101;
const CHECKSUM_FLAG = 201;

/**
 * Node.js carries libzstd and lets others call it: without its stream interface a frame costs a sixth less CPU time. Another
 * libzstd must not be loaded beside it, as its calls to itself would end up in the one that was there first. Rejects where it
 * can't be used. Its context lives as long as the thread and is used for every frame.
 */
export async function loadLibzstd({ level, windowLog }: ZstdSettings): Promise<BlockEngine> {
  const library = await loadNativeLibrary(undefined);
  const isError = library.call("ZSTD_isError", "uint", ["size_t"]);
  const setParameter = library.call("ZSTD_CCtx_setParameter", "size_t", ["uintptr_t", "int", "int"]);
  const compress = library.call("ZSTD_compress2", "size_t", [
    "uintptr_t",
    "uintptr_t",
    "size_t",
    "uintptr_t",
    "size_t",
  ]);
  const checked = (what: string, code: number): number => {
    if (isError(code) !== 0) throw new Error(`libzstd fails: ${what}`);
    return code;
  };
  const context = library.call("ZSTD_createCCtx", "uintptr_t", [])();
  if (context === 0) throw new Error("libzstd gives no context");
  checked("level", setParameter(context, COMPRESSION_LEVEL, level));
  checked("window", setParameter(context, WINDOW_LOG, windowLog));
  checked("checksum", setParameter(context, CHECKSUM_FLAG, 1));
  return {
    name: `libzstd ${library.text("ZSTD_versionString")} level ${level}`,
    compress(input, bytes, output) {
      const size = compress(context, library.addressOf(output), output.byteLength, library.addressOf(input), bytes);
      return checked(`${bytes} bytes`, size);
    },
  };
}
