import type { EntryCounts } from "../contracts/archive.ts";
import type { ArchiveEntry } from "./read.ts";

export type ExtractNoticeKind = "refused" | "failed" | "unsupported" | "owner" | "special-bits" | "absolute";
export interface ExtractNotice {
  readonly kind: ExtractNoticeKind;
  readonly path: string;
  readonly detail: string;
  /** True where something of the archive is not in the target. */
  readonly incomplete: boolean;
}
export interface ExtractProgress {
  readonly files: number;
  readonly bytesWritten: number;
  /** Bytes of the (compressed) archive read. */
  readonly bytesRead: number;
  readonly current: string;
}
export interface ExtractOptions {
  readonly archiveName: string;
  readonly signal: AbortSignal;
  /** Default false: the target must be new or empty. */
  readonly overwrite?: boolean;
  filter?(entry: ArchiveEntry): boolean;
  onNotice?(notice: ExtractNotice): void;
  onProgress?(progress: ExtractProgress): void;
}
export interface ExtractResult {
  readonly counts: EntryCounts;
  readonly bytesWritten: number;
  readonly notices: Readonly<Partial<Record<ExtractNoticeKind, number>>>;
  /** Entries that are missing from the target. */
  readonly incomplete: number;
}
export function extractArchive(_bytes: AsyncIterable<Uint8Array>, _targetDir: string, _options: ExtractOptions): Promise<ExtractResult> {
  throw new Error("skeleton");
}
