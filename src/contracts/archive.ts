/** What the archive engine takes, gives and reports. */

export type Compression = "gz" | "zst" | "none";
export type CompressionLevel = "fast" | "default" | "best";

export interface ArchiveOptions {
  /** Absolute paths, each becomes a top entry (`/backup` -> `backup`). */
  readonly sources: readonly string[];
  readonly compression: Compression;
  readonly level: CompressionLevel;
  /** Blocks compressed at the same time; 0 = the CPU quota rounded up. */
  readonly parallelism: number;
  readonly hardlinks: "copy" | "link";
  /** Go (RE2) expression over the full path; a matching folder's entry is dropped, its children are still visited. */
  readonly excludeRegexp: string | undefined;
  /** Globs over the full path; a matching folder is not entered. */
  readonly excludeGlobs: readonly string[];
  /** Paths that the run itself writes (archive folder, spool, state): left out, with a notice. */
  readonly ownPaths: readonly string[];
  /** Whether a chunk of the archive is done with once the next one is asked for: its memory is then used again. */
  readonly reuseChunks?: boolean;
  readonly signal: AbortSignal;
  onProgress?(progress: ArchiveProgress): void;
  /** Called for every notice, as it happens; the engine itself keeps only counts. */
  onNotice?(notice: ArchiveNotice): void;
  /** Called for every block in the archive's order, before its bytes are given out. */
  onBlock?(block: ArchiveBlock): void;
}

/** One block of an archive, as the index wants it. */
export interface ArchiveBlock {
  /** Bytes of tar data in it. */
  readonly rawBytes: number;
  /** Bytes that it takes in the archive. */
  readonly storedBytes: number;
  /** SHA-256 of the stored bytes. */
  readonly sha256: Uint8Array;
  /** Entries whose last byte lies in it, packed as the engine's entry log packs them. */
  readonly entries: Uint8Array;
}

export interface ArchiveProgress {
  readonly files: number;
  /** Content bytes read from files. */
  readonly bytesRead: number;
  /** Bytes of the archive produced so far. */
  readonly bytesWritten: number;
  /** Path being read, as text. */
  readonly current: string;
}

/**
 * Something about one path that the user should know.
 * `unreadable | vanished | shrunk | blocked` mean that content is missing or padded (the run ends `partial`);
 * `grew | replaced | socket | own | link-followed | crossed` are only worth a line.
 */
export type NoticeKind =
  | "unreadable"
  | "vanished"
  | "shrunk"
  | "blocked"
  | "grew"
  | "replaced"
  | "socket"
  | "own"
  | "link-followed"
  | "crossed";

export interface ArchiveNotice {
  readonly kind: NoticeKind;
  /** Full path; bytes that are not UTF-8 are shown as `\xNN`, control characters escaped. */
  readonly path: string;
  /** One sentence fragment: the cause (`EACCES: permission denied`) and what was done. */
  readonly detail: string;
  /** True where content is missing from the archive or padded. */
  readonly incomplete: boolean;
}

export interface EntryCounts {
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  readonly hardlinks: number;
  /** FIFOs and devices. */
  readonly others: number;
}

export interface SourceResult {
  readonly path: string;
  readonly counts: EntryCounts;
  readonly bytesRead: number;
  /** Why nothing was read (missing, unreadable, not absolute), if so. */
  readonly error?: string;
}

export interface ArchiveResult {
  /** Size of the archive, bytes. */
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly blocks: number;
  /** SHA-256 over the blocks' SHA-256s in order; lower-case hex. */
  readonly blocksSha256: string;
  readonly counts: EntryCounts;
  /** Content bytes read. */
  readonly bytesRead: number;
  readonly sources: readonly SourceResult[];
  /** How many notices of each kind. */
  readonly notices: Readonly<Partial<Record<NoticeKind, number>>>;
  /** How many paths are missing or padded. */
  readonly incomplete: number;
  /** e.g. `zlib level 5`, `zstd level 3`, `none`. */
  readonly compressor: string;
}

/** A running archive. Reading `bytes` drives it (backpressure); `result` settles after the last byte, or with the failure. */
export interface ArchiveStream {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly result: Promise<ArchiveResult>;
}

/**
 * The bytes of one archive (or record) as destinations read them: a growing file that many readers follow, a memory
 * window, or a small buffer.
 */
export interface ArchiveSource {
  /** Known once the archive is complete, or from the start for small objects. */
  readonly sizeBytes: number | undefined;
  /** What the size may become; 0 = no idea. */
  readonly estimateBytes: number;
  /** Settles when the last byte is there: the final size and SHA-256 (lower-case hex). Rejects when the archive failed. */
  readonly finished: Promise<{ readonly sizeBytes: number; readonly sha256: string }>;
  /** Bytes from `offset` to the archive's end; waits for what is not written yet; throws when the archive fails. */
  read(offset: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** The reader will not ask for anything below `offset` again, and looks no more at what it was given of it: it is written over. */
  release(offset: number): void;
}
