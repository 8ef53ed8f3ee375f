import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { sleep } from "../../src/lib/clock.ts";
import { generatedSource } from "../conformance/generated-source.ts";
import { OWNER } from "../conformance/harness.ts";
import { type FaultKind, type FaultServer, openFrom } from "./kinds.ts";

export interface UploadTask {
  readonly settings: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
  readonly seed: number;
}

export interface KillOutcome {
  readonly kills: number;
  /** Killed when everything was stored already. */
  readonly tooLate: number;
  /** Kills that left something unfinished, which was then removed. */
  readonly leftovers: number;
  /** What must never be; empty when all is well. */
  readonly faults: readonly string[];
}

const SIZE_BYTES = 60_000_000;
const PREFIX = "killed";
/** Of the shortest time that an upload took. */
const LATEST = 0.8;

/**
 * Kills (SIGKILL) a process that uploads over an archive of the same name, at random moments of the upload. After each
 * kill the store must show the old archive or the new one, whole; and the next run must be able to clear the rest away.
 */
export async function killUploads(kind: FaultKind, times: number): Promise<KillOutcome> {
  const server = await kind.start();
  const settings = server.settings(server.port, PREFIX);
  const faults: string[] = [];
  let [kills, tooLate, leftovers] = [0, 0, 0];
  try {
    let fullMs = await uploadWhole({ settings, sizeBytes: SIZE_BYTES, seed: 1 });
    const whole = [generatedSource(SIZE_BYTES, { seed: 1 }).sha256];
    for (let at = 1; at <= times; at += 1) {
      const seed = at + 1;
      whole.push(generatedSource(SIZE_BYTES, { seed }).sha256);
      const afterMs = Math.random() * LATEST * fullMs;
      const endedAfterMs = await killUpload({ settings, sizeBytes: SIZE_BYTES, seed }, afterMs);
      if (endedAfterMs !== undefined) {
        tooLate += 1;
        // The first found everything cold, or a machine that was busier.
        fullMs = Math.min(fullMs, endedAfterMs);
      }
      kills += 1;
      const found = [...(await server.look(PREFIX))];
      const [only] = found;
      // One that was committed while its sender died may show itself only now.
      if (found.length !== 1 || only?.[0] !== "site.tar" || !whole.includes(only[1]))
        faults.push(`after ${Math.round(afterMs)} ms: ${JSON.stringify(found)}`);
      leftovers += await clearedAway(server, faults);
    }
  } finally {
    await server.stop();
  }
  return { kills, tooLate, leftovers, faults };
}

/** Whether there was something to clear away, as 0 or 1. */
async function clearedAway(server: FaultServer, faults: string[]): Promise<number> {
  // What the server still had on its way settles first.
  await sleep(200);
  const before = await server.unfinished(PREFIX);
  const destination = await openFrom(server.settings(server.port, PREFIX));
  try {
    await destination.removeLeftovers(OWNER, AbortSignal.timeout(60_000));
  } finally {
    await destination.close();
  }
  const after = await server.unfinished(PREFIX);
  if (after.length > 0) faults.push(`not removed: ${after.join(", ")}`);
  return before.length > 0 ? 1 : 0;
}

async function uploadWhole(task: UploadTask): Promise<number> {
  const child = await startUpload(task);
  const startedAt = performance.now();
  if (child.exitCode === null) await once(child, "exit");
  if (child.exitCode !== 0) throw new Error(`the upload failed with ${child.exitCode}`);
  return performance.now() - startedAt;
}

/** Milliseconds that it took, where it had ended before. */
async function killUpload(task: UploadTask, afterMs: number): Promise<number | undefined> {
  const child = await startUpload(task);
  const startedAt = performance.now();
  const ended = child.exitCode === null ? once(child, "exit") : Promise.resolve();
  await Promise.race([sleep(afterMs), ended]);
  const tookMs = performance.now() - startedAt;
  const wasRunning = child.kill("SIGKILL");
  await ended;
  return wasRunning && child.signalCode === "SIGKILL" ? undefined : tookMs;
}

async function startUpload(task: UploadTask): Promise<ChildProcess> {
  const program = join(import.meta.dirname, "upload-child.ts");
  const child = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(task));
  await once(child.stdout, "data");
  return child;
}
