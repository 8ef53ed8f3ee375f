import { readFileSync } from "node:fs";
import path from "node:path";

/** A C function that takes and gives numbers only: addresses are numbers, too. */
export type NativeCall = (...args: number[]) => number;

export interface NativeLibrary {
  /** From the name of the library's file, where it says more than the name it was asked for by. */
  readonly fileVersion: string | undefined;
  call(name: string, result: string, args: readonly string[]): NativeCall;
  text(name: string): string;
  /** Stays the same for as long as the buffer lives and is not given away. */
  addressOf(buffer: ArrayBufferLike): number;
}

/**
 * `soname` undefined: what Node.js itself offers. Rejects where the native package or the library is missing, or is not for
 * this machine.
 */
export async function loadNativeLibrary(soname: string | undefined): Promise<NativeLibrary> {
  const { default: koffi } = await import("koffi");
  // Deep: a library's calls to itself go to itself, whatever Node.js has under the same names.
  const library = koffi.load(soname ?? null, { deep: true });
  return {
    fileVersion: soname === undefined ? undefined : fileVersionOf(soname),
    call: (name, result, args) => library.func(name, result, [...args]) as NativeCall,
    text: (name) => String(library.func(name, "str", [])()),
    addressOf: (buffer) => Number(koffi.address(buffer)),
  };
}

/** `libisal.so.2` is a link to `libisal.so.2.0.30`: the loaded file's name tells the version. */
function fileVersionOf(soname: string): string | undefined {
  const stem = soname.slice(0, soname.indexOf(".so") + 4);
  for (const line of readFileSync("/proc/self/maps", "utf8").split("\n")) {
    const file = path.basename(line.slice(line.lastIndexOf(" ") + 1));
    if (file.startsWith(stem) && file.length > soname.length) return file.slice(stem.length);
  }
  return undefined;
}
