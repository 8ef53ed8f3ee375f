import { amount, list, Malformed, objectIn, text } from "./json-fields.ts";
import type { Fields } from "./json-fields.ts";
import type { ProcessIdentity } from "./process.ts";
import { ageMs, clearState, newestAlive, removeBoth, touch, writeState, writtenBy } from "./runtime-files.ts";
import type { Folders } from "./runtime-files.ts";

/** How far a run is. */
export interface RunProgress {
  readonly job: string;
  readonly runId: string;
  readonly phase: string;
  readonly files: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Content bytes of the last archive; 0 = unknown. */
  readonly expectedBytes: number;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
}

/** As read back: with the process that wrote it, and when (milliseconds since the epoch). */
export interface LiveProgress extends RunProgress {
  readonly process: ProcessIdentity;
  readonly updatedAtMs: number;
}

export interface DaemonState {
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** Each job with its next times, ISO 8601, UTC; an empty list: never. */
  readonly jobs: readonly { readonly job: string; readonly next: readonly string[] }[];
}

export interface LiveDaemon extends DaemonState {
  readonly process: ProcessIdentity;
  readonly updatedAtMs: number;
}

/**
 * Small volatile files through which the daemon, a run and `lifeboat status` know of each other: `heartbeat`,
 * `progress.json`, `daemon.json` and `leftovers` in the state folder, or in `/dev/shm/lifeboat` where that can't be written.
 * Writers return false where neither takes the file (said once), and never throw: no backup depends on them.
 */
export interface Runtime {
  /** Sets the time of the file that the image's health check looks at. */
  touchHeartbeat(): boolean;
  /** At a graceful end, so that an ended daemon is not taken for a live one. */
  removeHeartbeat(): void;
  /** Milliseconds since the daemon's last sign of life; undefined where there is none. */
  heartbeatAgeMs(): number | undefined;
  writeProgress(progress: RunProgress): boolean;
  /** Removes this process's progress, and what a dead one left. */
  clearProgress(): void;
  /** Of a run whose process is alive. */
  readProgress(): LiveProgress | undefined;
  writeDaemon(state: DaemonState): boolean;
  clearDaemon(): void;
  /** A run by hand left deliveries or messages that wait: the daemon shall see to them. */
  announceLeftovers(): boolean;
  /** Whether one did since the last call. */
  takeLeftovers(): boolean;
  /** Of a daemon that is alive. */
  readDaemon(): LiveDaemon | undefined;
}

export interface RuntimeOptions {
  readonly stateDir: string;
  /** Used where the state folder can't be written. Default `/dev/shm/lifeboat`. */
  readonly fallbackFolder?: string;
  onNote?(text: string): void;
}

const HEARTBEAT = "heartbeat";
const PROGRESS = "progress.json";
const DAEMON = "daemon.json";
const LEFTOVERS = "leftovers";
const MAX_JOBS = 10_000;
const MAX_NAME_CHARS = 300;

/** Touches no file by itself. */
export function openRuntime(options: RuntimeOptions): Runtime {
  const folders: Folders = {
    stateDir: options.stateDir,
    fallbackFolder: options.fallbackFolder ?? "/dev/shm/lifeboat",
  };
  let said = false;
  const worked = (refusal: string | undefined): boolean => {
    if (refusal !== undefined && !said) {
      said = true;
      options.onNote?.(`what runs cannot be shown to other processes: no folder takes a small file (${refusal})`);
    }
    return refusal === undefined;
  };
  return {
    touchHeartbeat: () => worked(touch(folders, HEARTBEAT)),
    removeHeartbeat: () => removeBoth(folders, HEARTBEAT),
    heartbeatAgeMs: () => ageMs(folders, HEARTBEAT),
    writeProgress: (progress) => worked(writeState(folders, PROGRESS, progress)),
    clearProgress: () => clearState(folders, PROGRESS),
    readProgress: () => newestAlive(folders, PROGRESS, progressIn),
    writeDaemon: (state) => worked(writeState(folders, DAEMON, state)),
    clearDaemon: () => clearState(folders, DAEMON),
    announceLeftovers: () => worked(touch(folders, LEFTOVERS)),
    takeLeftovers() {
      if (ageMs(folders, LEFTOVERS) === undefined) return false;
      removeBoth(folders, LEFTOVERS);
      return true;
    },
    readDaemon: () => newestAlive(folders, DAEMON, daemonIn),
  };
}

export function writeProgress(stateDir: string, progress: RunProgress): boolean {
  return openRuntime({ stateDir }).writeProgress(progress);
}

export function clearProgress(stateDir: string): void {
  openRuntime({ stateDir }).clearProgress();
}

function progressIn(fields: Fields): LiveProgress {
  return {
    ...writtenBy(fields),
    job: text(fields, "job", MAX_NAME_CHARS),
    runId: text(fields, "runId", MAX_NAME_CHARS),
    phase: text(fields, "phase", MAX_NAME_CHARS),
    files: amount(fields, "files"),
    bytesRead: amount(fields, "bytesRead"),
    bytesWritten: amount(fields, "bytesWritten"),
    expectedBytes: amount(fields, "expectedBytes"),
    startedAtMs: amount(fields, "startedAtMs"),
  };
}

function daemonIn(fields: Fields): LiveDaemon {
  return {
    ...writtenBy(fields),
    startedAt: text(fields, "startedAt", MAX_NAME_CHARS),
    jobs: list(fields, "jobs", MAX_JOBS, objectIn(jobIn)),
  };
}

function jobIn(fields: Fields): DaemonState["jobs"][number] {
  const next = list(fields, "next", 10, (item) => {
    if (typeof item !== "string" || Number.isNaN(Date.parse(item))) throw new Malformed("next");
    return item;
  });
  return { job: text(fields, "job", MAX_NAME_CHARS), next };
}
