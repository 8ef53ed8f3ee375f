import type { EntryCounts } from "../../contracts/archive.ts";
import type { ArchiveEntry } from "./entry.ts";

/**
 * `refused`: would leave the target, or lead through a link. `failed`: the system said no. `damaged`: its
 * content lies in a damaged part of the archive. `unsupported`: a kind that can't be
 * made here. `replaced`: the name appears twice in the archive, the last one counts. `owner`, `special-bits`, `absolute`: owner
 * not set, setuid and setgid left off, leading `/` taken off; `metadata`: mode or time refused by the file system (these four
 * are told once, for the first entry, and counted).
 */
export type ExtractNoticeKind =
  | "refused"
  | "failed"
  | "damaged"
  | "unsupported"
  | "replaced"
  | "owner"
  | "special-bits"
  | "absolute"
  | "metadata";

export interface ExtractNotice {
  readonly kind: ExtractNoticeKind;
  /** As in the archive, printable. */
  readonly path: string;
  readonly detail: string;
  /** True where something of the archive is not in the target. */
  readonly incomplete: boolean;
}

export interface ExtractProgress {
  readonly entries: number;
  /** Content bytes written. */
  readonly bytesWritten: number;
  /** Bytes of the (compressed) archive read. */
  readonly bytesRead: number;
  /** Entry at work, printable. */
  readonly current: string;
}

export interface ExtractOptions {
  /** For messages. */
  readonly archiveName: string;
  readonly signal: AbortSignal;
  /** Default false: the target must be new or empty. Files in the way are then replaced, each when its content is complete. */
  readonly overwrite?: boolean;
  /** As in `DecompressOptions`. */
  readonly carefulFromByte?: number | undefined;
  /** Which entries are wanted; all, unless told. */
  filter?(entry: ArchiveEntry): boolean;
  onNotice?(notice: ExtractNotice): void;
  onProgress?(progress: ExtractProgress): void;
}

export interface ExtractResult {
  readonly counts: EntryCounts;
  readonly bytesWritten: number;
  readonly notices: Readonly<Partial<Record<ExtractNoticeKind, number>>>;
  /** How many entries are missing from the target. */
  readonly incomplete: number;
}
