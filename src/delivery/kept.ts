import { lstat, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../lib/errors.ts";
import { runIdTime } from "./record-names.ts";

/*
 * Archives that wait in the spool until a later try delivers them: one complete file a run, named after the run. What it is
 * and where it still has to go stands in the run's report.
 */

const SUFFIX = ".kept";
/** One that no report explains (the history was lost) goes after this. */
const ORPHAN_MS = 7 * 24 * 3600 * 1000;

export function keptName(runId: string): string {
  return `${runId}${SUFFIX}`;
}

export async function keptBytes(folder: string): Promise<number> {
  let total = 0;
  for (const name of await keptNames(folder)) total += (await lstat(join(folder, name))).size;
  return total;
}

/** Removes what these runs left waiting. */
export async function dropKept(folder: string, runs: readonly { readonly id: string }[]): Promise<void> {
  const there = new Set(await keptNames(folder));
  for (const { id } of runs) if (there.has(keptName(id))) await unlink(join(folder, keptName(id)));
}

/** Removes what has waited for longer than anyone would miss it. */
export async function dropOrphans(folder: string, nowMs: number): Promise<void> {
  for (const name of await keptNames(folder)) {
    const startedMs = runIdTime(name);
    if (startedMs !== undefined && nowMs - startedMs > ORPHAN_MS) await unlink(join(folder, name));
  }
}

async function keptNames(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith(SUFFIX));
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return [];
    throw error;
  }
}
