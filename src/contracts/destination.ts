import type { ArchiveSource } from "./archive.ts";
import type { Readable } from "node:stream";

/** `archive`: the archives themselves. `record`: run records and indexes under the hidden folder `.lifeboat/`. */
export type Area = "archive" | "record";

export type DestinationKind = "s3" | "webdav" | "ssh" | "azure" | "dropbox" | "local";

/** What was compared after an upload before it counts. */
export type Verified = "sha256" | "md5" | "crc" | "size";

export interface StoredObject {
  /** Base name in `archive`; path below `.lifeboat/`, with slashes, in `record`. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Milliseconds since the epoch: the store's time of last modification. */
  readonly storedAt: number;
  readonly verified?: Verified;
}

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Who writes, so that leftovers can be attributed. */
export interface JobTag {
  readonly host: string;
  readonly job: string;
  readonly runId: string;
}

export interface PutOptions {
  readonly area: Area;
  readonly owner: JobTag;
  readonly signal: AbortSignal;
  /** Bytes that the store confirmed so far; the same count again while it takes more of what is under way. */
  onProgress?(bytesSent: number): void;
}

/** A file being written inside the destination's own folder, not visible under its final name. Local only. */
export interface Stage {
  /** Where the engine writes; a hidden name in the final folder. */
  readonly path: string;
  /** Makes it durable and visible under its name, replacing an archive of that name. */
  publish(): Promise<StoredObject>;
  /** Removes it. Never throws for a missing file. */
  discard(): Promise<void>;
}

export interface Destination {
  readonly kind: DestinationKind;
  /** For logs and messages, e.g. `local:/archive`, `s3:bucket/path`; never a secret. */
  readonly label: string;
  /** Local only: the folder that it writes to, so that archives are not archived. */
  readonly folder?: string;
  /** Remote only: what `check` resolves and connects to first. Absent where only the client library knows. */
  readonly endpoint?: { readonly host: string; readonly port: number };
  /** Name of the setting that says where the store is; set by `destinations/index.ts`. */
  readonly addressSetting?: string;
  /**
   * Proves that the store is there and accepts the credentials, and writes nothing. Rejects with a `DestinationError` that
   * names the setting to look at.
   */
  connect(signal: AbortSignal): Promise<void>;
  /** Stores all of `body` under `name`: atomic, verified; on failure or abort nothing is visible under `name`. */
  put(name: string, body: ArchiveSource, options: PutOptions): Promise<StoredObject>;
  /** Finished objects only, any order. `record` lists below `.lifeboat/`. A store that was never written to lists nothing. */
  list(area: Area, signal: AbortSignal): AsyncIterable<StoredObject>;
  /** Rejects with `not-found` before any byte flows. */
  get(area: Area, name: string, range: ByteRange | undefined, signal: AbortSignal): Promise<Readable>;
  /** A missing object is success. */
  remove(area: Area, name: string, signal: AbortSignal): Promise<void>;
  /** Own leftovers at once, unattributed ones of own names after 7 days; returns how many went. */
  removeLeftovers(owner: Omit<JobTag, "runId">, signal: AbortSignal): Promise<number>;
  stage?(name: string, owner: JobTag): Promise<Stage>;
  close(): Promise<void>;
}

export type DestinationErrorCode = "not-found" | "denied" | "full" | "invalid" | "unavailable";
