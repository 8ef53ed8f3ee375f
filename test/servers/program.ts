import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep } from "../../src/lib/clock.ts";

export interface ProgramOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The server counts as started when this port of 127.0.0.1 accepts. */
  readonly port: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly readyWithinMs?: number;
}

/** A server program of a test, started by it and ended by its process id. */
export interface Program {
  readonly pid: number;
  /** What it printed so far. */
  output(): string;
  stop(): Promise<void>;
}

/** Where `scripts/test-servers.sh` puts what no Debian package brings. */
export function serversFolder(): string {
  return process.env["LIFEBOAT_TEST_SERVERS"] ?? "/var/cache/lifeboat-test-servers";
}

/** A port of 127.0.0.1 that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "lifeboat-server-"));
}

/** Starts a program in the foreground and waits until its port accepts. Rejects with its output when it ends early. */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const folder = temporaryFolder();
  const logFile = join(folder, "log");
  const log = openSync(logFile, "a");
  const child = spawn(options.command, options.args, {
    stdio: ["ignore", log, log],
    env: { ...process.env, ...options.environment },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  closeSync(log);
  const output = (): string => readFileSync(logFile, "utf8");
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const stop = async (): Promise<void> => {
    await end(child, ended);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await waitForPort(options.port, options.readyWithinMs ?? 30_000, child);
  } catch (error) {
    const text = output().slice(-2_000);
    await stop();
    throw new Error(`${options.command} did not start: ${text}`, { cause: error });
  }
  return { pid: child.pid ?? 0, output, stop };
}

async function end(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.pid === undefined) return;
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
  const force = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await ended;
  clearTimeout(force);
}

async function waitForPort(port: number, withinMs: number, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) throw new Error("it ended");
    if (await accepts(port)) return;
    await sleep(50);
  }
  throw new Error(`nothing accepts on port ${port} after ${withinMs} ms`);
}

async function accepts(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
