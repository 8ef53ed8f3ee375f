/**
 * Paths in an index are bytes, components joined by `/`, without one at either end; the root folder's is empty. They are
 * ordered component by component, each by its bytes: as if `/` were smaller than every other byte.
 */

const SLASH = 0x2f;

export function comparePaths(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at += 1) {
    const left = a[at] ?? 0;
    const right = b[at] ?? 0;
    if (left === right) continue;
    if (left === SLASH) return -1;
    if (right === SLASH) return 1;
    return left - right;
  }
  return a.length - b.length;
}

/** Whether `path` is `folder` or lies below it. Everything lies below the empty path. */
export function isAtOrBelow(path: Uint8Array, folder: Uint8Array): boolean {
  if (folder.length === 0) return true;
  if (path.length < folder.length || (path.length > folder.length && path[folder.length] !== SLASH)) return false;
  return Buffer.compare(path.subarray(0, folder.length), folder) === 0;
}

/** A tar entry's path as an index has it: `./a//b/` -> `a/b`. */
export function plainPath(bytes: Buffer): Buffer {
  // Ours have at most the final slash.
  if (bytes[0] !== SLASH && bytes[0] !== 0x2e && !bytes.includes("//") && !bytes.includes("/./")) {
    return bytes.at(-1) === SLASH ? bytes.subarray(0, -1) : bytes;
  }
  const components = bytes
    .toString("latin1")
    .split("/")
    .filter((name) => name !== "" && name !== ".");
  return Buffer.from(components.join("/"), "latin1");
}
