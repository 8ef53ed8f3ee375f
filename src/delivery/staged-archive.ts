import type { Destination, StoredObject } from "../contracts/destination.ts";
import type { ArchiveFacts, ArchiveReader } from "./reader.ts";

/** A local destination whose folder could not take the archive, and why: its delivery has failed, the others go on. */
export interface LocalFailure {
  readonly destination: Destination;
  readonly error: unknown;
}

export interface WriteChecks {
  /** What the engine says of the archive; saves computing the checksum a second time. */
  readonly result?: Promise<ArchiveFacts>;
  /** Called with all bytes on disk, before any reader hears that the archive is complete. A rejection fails it everywhere. */
  confirm?(): Promise<void> | void;
}

/** One archive that nobody sees yet, readable while it grows. `discard` is always the last call, also after success. */
export interface StagedArchive {
  /** Of the hidden file, for `process` and `copy` commands; undefined: it is only in memory. */
  readonly path: string | undefined;
  readonly place: "local" | "spool" | "memory";
  /** The destination in whose folder it lies; `publishLocal` is its delivery. */
  readonly local: Destination | undefined;
  readonly localFailure: LocalFailure | undefined;
  /** Settles when the archive is complete and was found worth storing. */
  readonly finished: Promise<ArchiveFacts>;
  /** For one delivery, which may begin with the first byte. Opened before `write`, closed at the delivery's end. */
  openReader(): ArchiveReader;
  /**
   * Takes everything; on disk it is synced. Rejects with `NobodyReads` where it is only in memory and every delivery has
   * ended; with a `DestinationError` where the folder can't take the bytes (`full` with sizes, `denied`, …); else with the
   * failure of `bytes` itself.
   */
  write(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal, checks?: WriteChecks): Promise<ArchiveFacts>;
  publishLocal(): Promise<StoredObject>;
  /** In the spool only: lets a complete archive stay there under this name, for later tries. */
  keep?(name: string): Promise<void>;
  /** Removes what was not published and ends all reading. May be repeated. */
  discard(): Promise<void>;
}
