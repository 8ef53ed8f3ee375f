import type { ArchiveSource } from "../contracts/archive.ts";

export interface ArchiveFacts {
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** One delivery's view of a staged archive. */
export interface ArchiveReader extends ArchiveSource {
  /** Where reading may still begin; above 0 the archive can't be sent again from its start. */
  readonly firstByte: number;
  /** The archive will be sent anew: until it is read again, everything from `firstByte` on stays. */
  hold(): void;
  /** The store took something, whatever of it was read when. */
  progressed(): void;
  /** This delivery has ended, well or not: nobody waits for it any more. May be repeated. */
  close(): void;
}
