import fs from "node:fs";
import path from "node:path";
import { formatSpan } from "../lib/bytes.ts";
import { sleep } from "../lib/clock.ts";
import { UserError } from "../lib/errors.ts";
import { makeFolders } from "../lib/make-folders.ts";
import { dropLock, lookAt, sweepLitter, takeLock, touchLock, TOUCH_EVERY_MS } from "./lock-file.ts";
import type { LockHolder } from "./lock-file.ts";
import { cleanText } from "./text.ts";

export type { LockHolder } from "./lock-file.ts";

export interface LockOptions {
  readonly path: string;
  /** How long to wait for another run; 0 tries once. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly job?: string;
  readonly runId?: string;
  /** Used where `path` can't be written. Default `/dev/shm`. */
  readonly fallbackFolder?: string;
  /** Called once, when the first try finds another run. */
  onWait?(holder: LockHolder | undefined): void;
  onNote?(text: string): void;
}

export interface RunLock {
  /** Undefined where no lock is possible; the run goes on without. */
  readonly path: string | undefined;
  /** Removes the file if it is still ours. Idempotent, never throws. */
  release(): void;
}

/** The wait for another run's end took longer than `LOCK_TIMEOUT`. */
export class LockTimeout extends UserError {
  readonly holder: LockHolder | undefined;

  constructor(message: string, holder: LockHolder | undefined, hint: string) {
    super(message, { hint });
    this.name = "LockTimeout";
    this.holder = holder;
  }
}

export interface LockState {
  readonly path: string;
  /** Undefined where the file does not say (empty, or made by another program). */
  readonly holder: LockHolder | undefined;
  /** False: left by a dead process; the next run takes it over. */
  readonly alive: boolean;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
}

const DEFAULT_FALLBACK_FOLDER = "/dev/shm";
const FIRST_POLL_MS = 250;
const LONGEST_POLL_MS = 2_000;

/**
 * Waits until no other run holds the lock, and takes it: a file that exists while the run lasts (panels test for it).
 * Where the file can't be made the fallback folder is used, else none; that is noted, and never an error. Processes that
 * share neither a lock folder nor a pid namespace do not see each other.
 *
 * @throws {LockTimeout} after `timeoutMs`, naming the holder; the signal's reason as soon as it aborts.
 */
export async function acquireLock(options: LockOptions): Promise<RunLock> {
  const { signal, timeoutMs } = options;
  const about = { job: options.job ?? "", runId: options.runId ?? "" };
  const startedMs = performance.now();
  const causes: string[] = [];
  const candidates = candidatePaths(options);
  let pollMs = FIRST_POLL_MS;
  let waits = false;
  for (let at = 0; at < candidates.length;) {
    signal.throwIfAborted();
    const file = candidates[at] ?? options.path;
    if (at === 0) makeParent(file);
    const attempt = takeLock(file, about);
    if (attempt.kind === "taken") {
      if (causes.length > 0)
        options.onNote?.(`no lock file at ${options.path} (${causes.join("; ")}): ${file} is used instead`);
      if (attempt.from !== undefined)
        options.onNote?.(`took over the lock of a run that was killed (${describe(attempt.from)})`);
      return holdLock(file, attempt.token);
    }
    if (attempt.kind === "impossible") {
      causes.push(attempt.cause);
      at += 1;
      continue;
    }
    const leftMs = timeoutMs - (performance.now() - startedMs);
    if (leftMs <= 0) throw timedOut(file, attempt.holder, timeoutMs);
    if (!waits) options.onWait?.(attempt.holder);
    waits = true;
    await sleep(Math.min(pollMs, leftMs), signal);
    pollMs = Math.min(pollMs * 1.5, LONGEST_POLL_MS);
  }
  options.onNote?.(`no lock file can be made (${causes.join("; ")}): runs of other processes are not waited for`);
  return { path: undefined, release: () => {} };
}

/** Who holds the lock, in the usual place or the fallback; undefined where there is no lock file. Changes nothing. */
export function inspectLock(options: {
  readonly path: string;
  readonly fallbackFolder?: string;
}): LockState | undefined {
  const states = candidatePaths(options).flatMap((file): LockState[] => {
    const seen = lookAt(file);
    if (seen.kind !== "held" && seen.kind !== "dead") return [];
    return [{ path: file, holder: seen.holder, alive: seen.kind === "held", sinceMs: seen.sinceMs }];
  });
  return states.find((state) => state.alive) ?? states[0];
}

/**
 * Removes lock files left by dead processes, so that panels that test for the file do not see a run for ever. Returns
 * whether one was removed.
 */
export function removeDeadLock(options: { readonly path: string; readonly fallbackFolder?: string }): boolean {
  let removed = false;
  for (const file of candidatePaths(options)) {
    if (lookAt(file).kind !== "dead") continue;
    const attempt = takeLock(file, { job: "", runId: "" });
    if (attempt.kind !== "taken") continue;
    sweepLitter(file);
    dropLock(file, attempt.token);
    removed = true;
  }
  return removed;
}

function holdLock(file: string, token: string): RunLock {
  sweepLitter(file);
  const timer = setInterval(() => touchLock(file), TOUCH_EVERY_MS);
  timer.unref();
  let released = false;
  const release = (): void => {
    if (released) return;
    released = true;
    clearInterval(timer);
    process.removeListener("exit", release);
    dropLock(file, token);
  };
  // A process that ends itself without unwinding (a blocked worker) still removes its file.
  process.once("exit", release);
  return { path: file, release };
}

function candidatePaths(options: { readonly path: string; readonly fallbackFolder?: string }): string[] {
  const fallback = path.join(options.fallbackFolder ?? DEFAULT_FALLBACK_FOLDER, path.basename(options.path));
  return fallback === options.path ? [options.path] : [options.path, fallback];
}

/** Slim images have `/var/lock` as a symlink to `/run/lock`, which is missing; then the link's target is made. */
function makeParent(file: string): void {
  const parent = path.dirname(file);
  try {
    makeFolders(parent);
  } catch {
    try {
      makeFolders(path.resolve(path.dirname(parent), fs.readlinkSync(parent)));
    } catch {
      // Not a link, or read-only: making the lock file fails next, and its error is the one that tells.
    }
  }
}

function timedOut(file: string, holder: LockHolder | undefined, timeoutMs: number): LockTimeout {
  const who = holder === undefined ? "another program holds it" : `held by ${describe(holder)}`;
  return new LockTimeout(
    `waited ${formatSpan(Math.max(0, timeoutMs))} for the lock ${file}: ${who}`,
    holder,
    "move the schedules apart, raise LOCK_TIMEOUT, or end the other run with `lifeboat cancel`",
  );
}

function describe(holder: LockHolder): string {
  const parts = [
    holder.job === "" ? "" : `job ${cleanText(holder.job, 100)}`,
    holder.runId === "" ? "" : `run ${holder.runId}`,
    `pid ${holder.pid}`,
    `since ${holder.since}`,
  ];
  return parts.filter((part) => part !== "").join(", ");
}
