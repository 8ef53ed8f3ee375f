import type { Destination, StoredObject } from "../contracts/destination.ts";
import type { PruneReport } from "../contracts/run.ts";
import { DestinationError, messageOf, UserError } from "../lib/errors.ts";
import { indexNameOf } from "./record-names.ts";

/** What retention says of one archive. Archives without a decision stay. */
export interface PruneDecision {
  readonly name: string;
  readonly keep: boolean;
}

/** How many messages of failed removals a report holds. */
const MOST_ERRORS = 5;

/**
 * Lists one destination, lets `decide` choose, and removes what it does not keep, with its index. A removal that fails
 * does not stop the others; failures are in the report's `error`. Rejects only where nothing could be listed or decided.
 */
export async function pruneDestination(
  destination: Destination,
  decide: (archives: readonly StoredObject[]) => readonly PruneDecision[] | Promise<readonly PruneDecision[]>,
  signal: AbortSignal,
): Promise<PruneReport> {
  const archives: StoredObject[] = [];
  for await (const archive of destination.list("archive", signal)) archives.push(archive);
  const listed = new Set(archives.map((archive) => archive.name));
  const removed: string[] = [];
  const errors: unknown[] = [];
  const judged = (await decide(archives)).filter(({ name }) => listed.has(name));
  for (const { name, keep } of judged) {
    if (keep) continue;
    try {
      signal.throwIfAborted();
      // First, because nobody looks for it any more once the archive is gone: a kill in between would leave it for good.
      const [index] = await Promise.allSettled([destination.remove("record", indexNameOf(name), signal)]);
      await destination.remove("archive", name, signal);
      removed.push(name);
      if (index.status === "rejected") throw index.reason;
    } catch (error) {
      errors.push(error);
      if (signal.aborted) break;
    }
  }
  const kept = judged.length - removed.length;
  return {
    destination: destination.label,
    kept,
    removed,
    ...(errors.length === 0 ? {} : { error: pruneFailure(destination, errors) }),
  };
}

/** What went wrong, and what to do about it: credentials that can only write are good practice. */
export function pruneFailure(destination: Destination, errors: readonly unknown[]): string {
  const parts = errors.slice(0, MOST_ERRORS).map(messageOf);
  if (errors.length > MOST_ERRORS) parts.push(`and ${errors.length - MOST_ERRORS} more`);
  const hints = new Set(errors.flatMap((error) => (error instanceof UserError ? (error.hint ?? []) : [])));
  if (errors.some((error) => error instanceof DestinationError && error.code === "denied"))
    hints.add(`for credentials that should only write, add ${destination.kind} to BACKUP_SKIP_BACKENDS_FROM_PRUNE`);
  return `${parts.join("; ")}${hints.size === 0 ? "" : ` (${[...hints].join("; ")})`}`;
}
