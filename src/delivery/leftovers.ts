import type { Destination, JobTag } from "../contracts/destination.ts";
import { messageOf } from "../lib/errors.ts";

export interface LeftoverReport {
  readonly removed: number;
  /** One for each destination that could not be cleaned. */
  readonly errors: readonly { readonly destination: string; readonly error: string }[];
}

/** Removes what dead runs of this job left, everywhere at the same time. Never rejects: what stays is tried again by the next run. */
export async function cleanLeftovers(
  destinations: readonly Destination[],
  owner: Omit<JobTag, "runId">,
  signal: AbortSignal,
): Promise<LeftoverReport> {
  const outcomes = await Promise.allSettled(
    destinations.map((destination) => destination.removeLeftovers(owner, signal)),
  );
  let removed = 0;
  const errors: { destination: string; error: string }[] = [];
  for (const [at, outcome] of outcomes.entries()) {
    if (outcome.status === "fulfilled") removed += outcome.value;
    else errors.push({ destination: destinations[at]?.label ?? "", error: messageOf(outcome.reason) });
  }
  return { removed, errors };
}
