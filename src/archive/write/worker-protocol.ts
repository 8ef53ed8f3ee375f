import type { ArchiveNotice, EntryCounts, NoticeKind, SourceResult } from "../../contracts/archive.ts";
import type { CutRule } from "./blocks.ts";

/**
 * What the main side and the walk worker say to each other. Blocks lie in shared memory and whoever was told of one last owns
 * it: a buffer that is transferred counts as new memory where it arrives, and the heap there is collected every 40 MB.
 */

export interface WalkOptions {
  readonly sources: readonly string[];
  readonly hardlinks: "copy" | "link";
  readonly excludeRegexp: string | undefined;
  readonly excludeGlobs: readonly string[];
  readonly ownPaths: readonly string[];
}

export interface WalkWorkerData {
  readonly options: WalkOptions;
  readonly cutRule: CutRule;
  /** Block buffers that may exist at the same time: the bound of all memory in flight. */
  readonly buffers: number;
  /** Where blocks are stored as they are, nobody else has a thread to spare for their checksums. */
  readonly hashesBlocks: boolean;
  /** Four 32-bit integers, see `CONTROL`. */
  readonly control: SharedArrayBuffer;
}

/** Indexes into the shared integers, through which the main side reaches a worker that never returns to its events. */
export const CONTROL = {
  /** Not 0: stop as soon as possible. */
  aborted: 0,
  /** Counts everything that a waiting worker should look at. */
  wakeUps: 1,
  /** Lists of notices that the main side has dealt with. */
  noticesTaken: 2,
  /** 1 while the thread loads native code: a thread that is ended by force then takes the whole process with it. */
  loading: 3,
} as const;

export const CONTROL_BYTES = 16;

/** An empty buffer comes back to be filled again. */
export interface BufferMessage {
  readonly buffer: SharedArrayBuffer;
}

export interface BlockMessage {
  readonly type: "block";
  /** The first `bytes` are the block. */
  readonly buffer: SharedArrayBuffer;
  readonly bytes: number;
  /** Entries that were finished in it, packed (see entry-log.ts); transferred. */
  readonly entries: Uint8Array<ArrayBuffer>;
  /** Of the block, where the walk was asked for it. */
  readonly sha256?: Uint8Array;
  readonly files: number;
  readonly bytesRead: number;
  readonly current: string;
}

export interface NoticesMessage {
  readonly type: "notices";
  readonly notices: readonly ArchiveNotice[];
}

export interface EndMessage {
  readonly type: "end";
  readonly counts: EntryCounts;
  readonly bytesRead: number;
  readonly sources: readonly SourceResult[];
  readonly notices: Readonly<Partial<Record<NoticeKind, number>>>;
  readonly incomplete: number;
}

export interface FailedMessage {
  readonly type: "failed";
  readonly message: string;
  /** Set where the user can do something about it; without it the failure is a defect. */
  readonly hint: string | undefined;
  readonly stack: string | undefined;
}

export type WorkerMessage = BlockMessage | NoticesMessage | EndMessage | FailedMessage;
