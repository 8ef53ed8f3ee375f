import { hasLists, readRecorded } from "./recorded.ts";

export interface CronCase {
  readonly expression: string;
  readonly error?: string;
  readonly runs?: readonly { readonly zone: string; readonly start: string; readonly next: readonly (string | null)[] }[];
}

export const cronCases = readRecorded("cron.json", hasLists<{ cases: readonly CronCase[] }>("cases")).cases;
