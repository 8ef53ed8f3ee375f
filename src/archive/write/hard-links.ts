import type { FileId } from "./file-stat.ts";

/** Finds the entry that already holds the content of a file with several names. */
export interface HardLinks {
  /**
   * Entry path of the name that was stored first, if there was one and it is remembered. A file that has changed since is as
   * good as another one, and may be: on a live site an inode's number is soon used again.
   */
  stored(file: LinkedFile): string | undefined;
  remember(file: LinkedFile, entryPath: string): void;
}

interface LinkedFile extends FileId {
  readonly nlink: number;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
}

interface First {
  readonly path: string;
  /** As the file was when it was stored. */
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  /** Names that were not met yet. */
  left: number;
}

/** Paths of about 400,000 files: the process must stay inside a small container. */
const MOST_BYTES = 80_000_000;
/** Of a remembered file beside its path: map entry, objects, the string's head. Measured: 120, and 24 for its time and size. */
const OVERHEAD_BYTES = 154;
/** Below this a whole inode number is an exact double. */
const LARGEST_EXACT_HIGH = 2 ** 21;

/**
 * Memory: one path for each file whose other names have not all been met yet, up to `mostBytes` of them. Files beyond
 * that are stored once more under each of their names: the archive is larger, and still right.
 */
export function createHardLinks(mostBytes: number = MOST_BYTES): HardLinks {
  const devices = new Map<number, Map<number | string, First>>();
  let bytes = 0;
  return {
    stored(file) {
      const files = devices.get(file.device);
      const first = files?.get(keyOf(file));
      if (files === undefined || first === undefined) return undefined;
      const isSame = isUnchanged(first, file);
      first.left -= 1;
      if (first.left <= 0 || !isSame) {
        files.delete(keyOf(file));
        bytes -= first.path.length + OVERHEAD_BYTES;
      }
      return isSame ? first.path : undefined;
    },
    remember(file, entryPath) {
      const needed = entryPath.length + OVERHEAD_BYTES;
      if (bytes + needed > mostBytes) return;
      let files = devices.get(file.device);
      if (files === undefined) devices.set(file.device, (files = new Map()));
      const { sizeBytes, mtimeSeconds, mtimeNanoseconds, nlink } = file;
      files.set(keyOf(file), { path: entryPath, sizeBytes, mtimeSeconds, mtimeNanoseconds, left: nlink - 1 });
      bytes += needed;
    },
  };
}

function isUnchanged(first: First, file: LinkedFile): boolean {
  return (
    first.sizeBytes === file.sizeBytes &&
    first.mtimeSeconds === file.mtimeSeconds &&
    first.mtimeNanoseconds === file.mtimeNanoseconds
  );
}

function keyOf({ inodeHigh, inodeLow }: FileId): number | string {
  return inodeHigh < LARGEST_EXACT_HIGH ? inodeHigh * 2 ** 32 + inodeLow : `${inodeHigh}:${inodeLow}`;
}
