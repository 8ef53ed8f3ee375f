import { realpathSync, statSync } from "node:fs";
import path from "node:path";
import { byteString } from "./byte-strings.ts";

/** Recognises what the run itself writes, by path and by device and inode (bind mounts). */
export interface OwnPaths {
  has(path: string, stat: { readonly dev: bigint; readonly ino: bigint }): boolean;
  /** Tells that the files of `source` (a byte string) really lie at `realPath`. */
  addRoot(source: string, realPath: string): void;
}

export function createOwnPaths(ownPaths: readonly string[]): OwnPaths {
  const realPaths = ownPaths.filter((own) => own !== "").map((own) => byteString(realPathOf(path.resolve(own))));
  const inodes = ownPaths.flatMap((own) => inodeOf(own));
  const known = new Set<string>();
  return {
    has: (entryPath, stat) =>
      known.has(entryPath) || inodes.some((own) => own.ino === stat.ino && own.dev === stat.dev),
    addRoot(source, realPath) {
      const prefix = realPath === "/" ? "/" : `${realPath}/`;
      for (const own of realPaths) {
        if (own === realPath) known.add(source);
        else if (own.startsWith(prefix)) known.add(`${source === "/" ? "" : source}/${own.slice(prefix.length)}`);
      }
    },
  };
}

/** As far as the path exists; what the run has yet to create is appended as it is. */
function realPathOf(absolute: string): string {
  try {
    return realpathSync(absolute);
  } catch {
    const parent = path.dirname(absolute);
    return parent === absolute ? absolute : path.join(realPathOf(parent), path.basename(absolute));
  }
}

function inodeOf(own: string): { dev: bigint; ino: bigint }[] {
  try {
    return own === "" ? [] : [statSync(own, { bigint: true })];
  } catch {
    // Not there yet; then it is recognised by its path.
    return [];
  }
}
