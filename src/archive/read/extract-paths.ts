/** Where an entry belongs below the target. Names are bytes as `latin1` text. */
export type EntryPlace =
  | { readonly kind: "below"; readonly names: readonly string[]; readonly wasAbsolute: boolean }
  /** The target itself, as in `./`. */
  | { readonly kind: "target" }
  | { readonly kind: "refused"; readonly reason: string };

/** No tree that people make comes near; a hostile archive could otherwise keep a restore busy for hours. */
const DEEPEST_LEVELS = 4096;
const LONGEST_PATH_BYTES = 64 * 1024;

/** A leading `/` is taken off, `.` is passed over, `..` is refused wherever it stands. */
export function placeOf(pathBytes: Buffer): EntryPlace {
  const path = pathBytes.toString("latin1");
  if (path === "") return { kind: "refused", reason: "it has no name" };
  if (path.includes("\0")) return { kind: "refused", reason: "its name holds a NUL character" };
  if (path.length > LONGEST_PATH_BYTES) return { kind: "refused", reason: "its path is longer than 64 KiB" };
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  if (names.length > DEEPEST_LEVELS)
    return { kind: "refused", reason: `it lies deeper than ${DEEPEST_LEVELS} folders` };
  if (names.includes("..")) return { kind: "refused", reason: "its path leads upwards with `..`" };
  return names.length === 0 ? { kind: "target" } : { kind: "below", names, wasAbsolute: path.startsWith("/") };
}
