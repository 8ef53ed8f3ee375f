import type { SerializedJob } from "./serialized-job.ts";
import type { RunReport, RunTrigger } from "./run.ts";

/** What the whole process was told, as every command and child needs it. */
export interface ProcessOptions {
  readonly stateDir: string;
  readonly lockFile: string;
  readonly logFormat: "text" | "json";
  readonly logLevel: "debug" | "info" | "warn" | "error";
  /** Folders of notification templates, later ones win; they need not exist. */
  readonly templateFolders: readonly string[];
}

/** A fire that nothing ran at. */
export interface MissedRun {
  readonly job: string;
  readonly dueAtMs: number;
  readonly isCaughtUp: boolean;
}

/** What the daemon sends a child as one line of JSON on its standard input. The child aborts when that input ends. */
export type ChildTask =
  | {
      readonly kind: "run";
      readonly options: ProcessOptions;
      readonly job: SerializedJob;
      readonly trigger: RunTrigger;
      readonly firedAtMs: number;
      /** Remarks about the state folder that need not be made again. */
      readonly alreadySaid: readonly string[];
    }
  | { readonly kind: "heal"; readonly options: ProcessOptions; readonly jobs: readonly SerializedJob[] }
  /** Sends again what runs could not deliver; gives way to any run. */
  | { readonly kind: "retry"; readonly options: ProcessOptions; readonly jobs: readonly SerializedJob[] }
  /** Only connects to the destinations of these jobs, and warns. */
  | { readonly kind: "connect"; readonly options: ProcessOptions; readonly jobs: readonly SerializedJob[] }
  | {
      readonly kind: "tend";
      readonly options: ProcessOptions;
      readonly jobs: readonly SerializedJob[];
      /** Jobs whose last good backup is known to be too old, and told of. */
      readonly alerted: readonly string[];
    }
  | {
      readonly kind: "note";
      readonly options: ProcessOptions;
      readonly reports: readonly RunReport[];
      readonly missed: readonly MissedRun[];
      /** Jobs whose skipped runs people know of already. */
      readonly skipsTold: readonly string[];
      /** Those that the reports are about, to know whom to tell. */
      readonly jobs: readonly SerializedJob[];
    };

/** What a `run` child answers when its run is in the history: without it the run was killed. */
export interface RunAnswer {
  readonly recorded: true;
  /** A delivery failed that may succeed later. */
  readonly pending: boolean;
  /** When a `tend` child has something to do; absent: nothing waits. */
  readonly tendAtMs?: number;
}

/** What a `retry` child answers. */
export interface RetryAnswer {
  /** Something still waits to be delivered. */
  readonly pending: boolean;
}

/** What a `tend` child answers. */
export interface TendAnswer {
  readonly tendAtMs?: number;
  readonly alerted: readonly string[];
}

/** What a `heal` child answers on file descriptor 3: when each job last fired, as far as anything remembers. */
export interface HealAnswer {
  readonly lastFiredAtMs: Readonly<Record<string, number>>;
  /** What it said about the state folder; later children stay silent about the same. */
  readonly said: readonly string[];
  /** A delivery of an earlier run still waits. */
  readonly pending: boolean;
}
