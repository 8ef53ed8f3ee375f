import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { ChildTask } from "../contracts/task.ts";
import { isPassedOn } from "./passed-on.ts";
import { RUN_FLAGS } from "./run-flags.ts";

export interface ChildEnd {
  /** Exit code; undefined where a signal ended it. */
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** What it wrote on file descriptor 3, parsed; undefined if nothing or not JSON. */
  readonly answer: unknown;
  /** Set where it could not even be started. */
  readonly error?: string;
}

export interface Child {
  readonly pid: number | undefined;
  readonly ended: Promise<ChildEnd>;
  /** SIGTERM now, SIGKILL after `graceMs`. */
  stop(graceMs: number): void;
  /** SIGKILL after `graceMs`, without a SIGTERM before: what it does is short and worth its end. */
  bound(graceMs: number): void;
  kill(): void;
}

/** After its answer and after SIGKILL a child has this long to be gone; then its task counts as over. */
const ANSWERED_MS = 5_000;
const KILLED_MS = 2_000;
const MOST_ANSWER_BYTES = 4 * 1024 * 1024;

/**
 * Starts this program again for one task. Its memory goes back to the system when it ends, and a child that is killed
 * (out of memory, a fault in a native library) leaves the daemon to record it. It runs at nice 10 with idle I/O.
 * @throws the system's error where there is no memory or no descriptor for it
 */
export function startChild(task: ChildTask, entry: string): Child {
  const [command, args] = politely(process.execPath, [...RUN_FLAGS, entry, "--child"]);
  const env: NodeJS.ProcessEnv = {};
  for (const [key, value] of Object.entries(process.env)) if (isPassedOn(key)) env[key] = value;
  // glibc otherwise keeps freed compression buffers: 166-187 MB at the peak became 140 MB.
  env["MALLOC_MMAP_THRESHOLD_"] = "262144";
  const child = spawn(command, args, { stdio: ["pipe", "inherit", "inherit", "pipe"], env });
  const chunks: Buffer[] = [];
  let size = 0;
  const answered = (): unknown => parse(Buffer.concat(chunks));
  const { promise: ended, resolve } = Promise.withResolvers<ChildEnd>();
  // Before anything that can throw: without descriptors there are not even pipes, and the error comes all the same.
  child.once("error", (error) =>
    resolve({ code: undefined, signal: undefined, answer: undefined, error: error.message }),
  );
  let endTimer: NodeJS.Timeout | undefined;
  /** A thread that hangs in the kernel (a dead FUSE mount) may keep a process that nobody can kill. */
  const expectEnd = (withinMs: number): void => {
    clearTimeout(endTimer);
    endTimer = setTimeout(() => {
      child.unref();
      resolve({ code: undefined, signal: "SIGKILL", answer: answered() });
    }, withinMs);
  };
  const kill = (): void => {
    child.kill("SIGKILL");
    expectEnd(KILLED_MS);
  };
  const answerPipe = child.stdio[3];
  if (answerPipe && "on" in answerPipe) {
    answerPipe.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MOST_ANSWER_BYTES) chunks.push(chunk);
      if (answered() !== undefined) expectEnd(ANSWERED_MS);
    });
    answerPipe.on("error", () => {
      // The child died; its end says so.
    });
  }
  child.stdin?.on("error", () => {
    // As above.
  });
  // Left open on purpose: its end tells the child that the daemon is gone.
  child.stdin?.write(`${JSON.stringify(task)}\n`);
  let killTimer: NodeJS.Timeout | undefined;
  child.once("close", (code, signal) => {
    clearTimeout(killTimer);
    clearTimeout(endTimer);
    resolve({ code: code ?? undefined, signal: signal ?? undefined, answer: answered() });
  });
  const bound = (graceMs: number): void => {
    killTimer ??= setTimeout(kill, graceMs);
  };
  return {
    pid: child.pid,
    ended,
    stop(graceMs) {
      child.kill("SIGTERM");
      bound(graceMs);
    },
    bound,
    kill,
  };
}

/** `nice` and `ionice` replace themselves with the command, so the pid is the child's own. */
function politely(command: string, args: readonly string[]): [string, string[]] {
  let line = [command, ...args];
  if (existsSync("/usr/bin/ionice")) line = ["/usr/bin/ionice", "-c3", "-t", ...line];
  if (existsSync("/usr/bin/nice")) line = ["/usr/bin/nice", "-n", "10", ...line];
  const [first = command, ...rest] = line;
  return [first, rest];
}

function parse(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
