export type EntryType =
  | "file"
  | "directory"
  | "symlink"
  | "hardlink"
  | "fifo"
  | "character-device"
  | "block-device"
  /** A kind that can't be restored (star's sparse files, multi-volume pieces); `typeName` says which. */
  | "unsupported";

export interface ArchiveEntry {
  /** For people: as in the archive without a final `/`, control characters escaped, bytes that are not UTF-8 as `\xNN`. */
  readonly path: string;
  /** The exact bytes, a final `/` included. */
  readonly pathBytes: Buffer;
  readonly type: EntryType;
  /** What an `unsupported` entry is. */
  readonly typeName?: string;
  /** Content; 0 for all but files. */
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly mtimeNs: bigint;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Target of a symlink, or the path of the entry that a hard link shares its content with; printable. */
  readonly linkPath?: string;
  readonly linkBytes?: Buffer;
  readonly device?: { readonly major: number; readonly minor: number };
}
