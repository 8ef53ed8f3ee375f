/** ustar's type flags, as far as this engine writes them. */
export const TYPE_FLAGS = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  "character-device": "3",
  "block-device": "4",
  directory: "5",
  fifo: "6",
} as const;

export type TarType = keyof typeof TYPE_FLAGS;

/** Everything that an entry's header says. Paths are byte strings (see byte-strings.ts). */
export interface EntryHeader {
  readonly type: TarType;
  /** Without a leading slash; folders end with one. */
  readonly path: string;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Content that follows; 0 for everything but files. */
  readonly sizeBytes: number;
  /** Rounded down; before 1970 it is negative, the nanoseconds never are. */
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  /** Target of a symlink or hard link, else empty. */
  readonly linkPath: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}
