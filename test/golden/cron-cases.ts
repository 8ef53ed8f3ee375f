import path from "node:path";
import { hasLists, readRecorded } from "./recorded.ts";

export interface CronCase {
  readonly expression: string;
  readonly error?: string;
  readonly runs?: readonly {
    readonly zone: string;
    readonly start: string;
    readonly next: readonly (string | null)[];
  }[];
}

const isCases = hasLists<{ cases: readonly CronCase[] }>("cases");

export const cronCases = readRecorded("cron.json", isCases).cases;

/** Recorded in addition, in zones with rare kinds of changes; always our own copy. */
export const jumpCases = readRecorded(path.join(import.meta.dirname, "cron-jumps.json"), isCases).cases;
