import type { Compression, EntryCounts } from "./archive.ts";
import type { DestinationKind, Verified } from "./destination.ts";

export type RunStatus = "success" | "partial" | "failed" | "skipped" | "interrupted";

export type RunTrigger = "schedule" | "catch-up" | "manual";

/** In the order of a run. */
export type Phase =
  | "lock"
  | "pre"
  | "stop"
  | "archive"
  | "start"
  | "process"
  | "deliver"
  | "prune"
  | "post"
  | "record"
  | "notify";

/** `failed` counts towards the run's status as the phase decides; `warning` is worth `partial`; `note` changes nothing. */
export type StepOutcome = "ok" | "failed" | "warning" | "skipped";

export interface StepReport {
  readonly phase: Phase;
  /** Destination label, container name, … where a phase has several. */
  readonly target?: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly outcome: StepOutcome;
  /** What happened, redacted: the error of a failed step, or a short result. */
  readonly detail?: string;
}

export interface DeliveryReport {
  readonly destination: string;
  readonly kind: DestinationKind;
  readonly status: "stored" | "failed";
  readonly sizeBytes?: number;
  readonly verified?: Verified;
  readonly durationMs: number;
  readonly attempts: number;
  /** ISO 8601, UTC: when it was stored, where that was not by the run itself but by a later try. */
  readonly deliveredAt?: string;
  readonly error?: string;
}

export interface PruneReport {
  readonly destination: string;
  readonly kept: number;
  readonly removed: readonly string[];
  readonly error?: string;
}

export interface ArchiveReport {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** How many independent blocks it has, and the SHA-256 over their SHA-256s in order. Absent in older records. */
  readonly blocks?: number;
  readonly blocksSha256?: string;
  readonly compression: Compression;
  readonly compressor: string;
  readonly counts: EntryCounts;
  /** Content bytes read from the sources. */
  readonly bytesRead: number;
  /** Paths missing or padded. */
  readonly incomplete: number;
}

/** `level: "warning"` makes a successful run `partial`; `note` is for the reader only. */
export interface RunWarning {
  readonly level: "warning" | "note";
  readonly text: string;
}

/** One run, as history and the record beside the archives keep it. Holds no secret and (as a record) no file names. */
export interface RunReport {
  readonly version: 1;
  /** Sortable: `20261122T213000Z-` and six hex digits. */
  readonly id: string;
  readonly job: string;
  readonly host: string;
  readonly lifeboat: string;
  readonly trigger: RunTrigger;
  readonly status: RunStatus | "running";
  /** When the schedule fired (the time in the archive's name). ISO 8601, UTC; so are the two below. */
  readonly firedAt: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  /** Process that runs it, to tell a dead run from a live one. */
  readonly pid?: number;
  readonly archive?: ArchiveReport;
  readonly steps: readonly StepReport[];
  readonly deliveries: readonly DeliveryReport[];
  readonly prunes: readonly PruneReport[];
  readonly warnings: readonly RunWarning[];
  /** Why the run is not a success, in one line. */
  readonly error?: string;
}
