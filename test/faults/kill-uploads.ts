import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Destination } from "../../src/contracts/destination.ts";
import { sleep } from "../../src/lib/clock.ts";
import { OWNER, signal } from "../conformance/harness.ts";
import { sampleBytes } from "../conformance/sources.ts";
import type { UploadTask } from "./upload-child.ts";

const SIZE_BYTES = 2_000_000;
/** About as long as an upload takes, and a little longer: some kills find the rename, some come too late. */
const LATEST_KILL_MS = 600;

/** How often: a few times in every run, many times by `LIFEBOAT_KILLS=50`. */
export const KILLS = Number(process.env["LIFEBOAT_KILLS"] ?? "10");

/**
 * Kills a process at a random moment of its upload, again and again: under the final name there is nothing or the whole
 * archive, and the next run removes the rest. `folder`: what the store's own tools see.
 */
export async function killUploads(
  task: Omit<UploadTask, "name" | "sizeBytes">,
  folder: string,
  destination: Destination,
): Promise<void> {
  const whole = sampleBytes(SIZE_BYTES);
  let stored = 0;
  for (let at = 0; at < KILLS; at += 1) {
    const name = `kill-${at}.tar`;
    const delayMs = Math.random() * LATEST_KILL_MS;
    await killOnce({ ...task, name, sizeBytes: SIZE_BYTES }, delayMs);
    await sleep(100);
    const context = `kill ${at} after ${Math.round(delayMs)} ms`;
    if (existsSync(join(folder, name))) {
      stored += 1;
      expect(readFileSync(join(folder, name)).equals(whole), context).toBe(true);
    }
    const others = readdirSync(folder).filter((file) => !file.startsWith(".") && !/^kill-\d+\.tar$/.test(file));
    expect(others, context).toEqual([]);
  }
  await destination.removeLeftovers(OWNER, signal());
  const left = readdirSync(folder).filter((file) => file.endsWith(".partial"));
  expect(left).toEqual([]);
  expect(readdirSync(folder).filter((file) => !file.startsWith("."))).toHaveLength(stored);
}

async function killOnce(task: UploadTask, delayMs: number): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "upload-child.ts"), JSON.stringify(task)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  await Promise.race([once(child.stdout, "data"), ended]);
  await sleep(delayMs);
  child.kill("SIGKILL");
  await ended;
}
