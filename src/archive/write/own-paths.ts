import { realpathSync, statSync } from "node:fs";
import path from "node:path";
import { byteString } from "./byte-strings.ts";
import type { FileId } from "./file-stat.ts";
import { FileStat, fileIdOf, isSameFile } from "./file-stat.ts";

/** Recognises what the run itself writes, by path and by device and inode (bind mounts). */
export interface OwnPaths {
  has(path: string, file: FileId): boolean;
  /** Tells that the files of `source` (a byte string) really lie at `realPath`. */
  addRoot(source: string, realPath: string): void;
}

export function createOwnPaths(ownPaths: readonly string[]): OwnPaths {
  const realPaths = ownPaths.filter((own) => own !== "").map((own) => byteString(realPathOf(path.resolve(own))));
  const files = ownPaths.flatMap((own) => fileOf(own));
  const known: string[] = [];
  return {
    // Called for every file: most strings differ in their length already.
    has(entryPath, file) {
      for (const own of known) if (own === entryPath) return true;
      for (const own of files) if (isSameFile(own, file)) return true;
      return false;
    },
    addRoot(source, realPath) {
      const prefix = realPath === "/" ? "/" : `${realPath}/`;
      for (const own of realPaths) {
        if (own === realPath) known.push(source);
        else if (own.startsWith(prefix)) known.push(`${source === "/" ? "" : source}/${own.slice(prefix.length)}`);
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

function fileOf(own: string): FileId[] {
  if (own === "") return [];
  try {
    const stat = new FileStat();
    stat.fill(statSync(own, { bigint: true }));
    return [fileIdOf(stat)];
  } catch {
    // Not there yet; then it is recognised by its path.
    return [];
  }
}
