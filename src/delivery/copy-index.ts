import type { Destination } from "../contracts/destination.ts";
import type { RunReport } from "../contracts/run.ts";
import { bufferSource } from "../destinations/buffer-source.ts";
import { DestinationError } from "../lib/errors.ts";
import { indexNameOf } from "./record-names.ts";

/** A larger one stays where it is: an index makes reading quicker, and nothing needs it. */
const LARGEST_INDEX_BYTES = 64 * 1024 * 1024;

/** Puts the archive's index to a destination that got the archive later, where another one has it. */
export async function copyIndex(
  from: Destination,
  to: Destination,
  report: RunReport,
  signal: AbortSignal,
): Promise<void> {
  if (report.archive === undefined) return;
  const name = indexNameOf(report.archive.name);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of await from.get("record", name, undefined, signal)) {
      const bytes = Buffer.from(chunk);
      sizeBytes += bytes.byteLength;
      if (sizeBytes > LARGEST_INDEX_BYTES) return;
      chunks.push(bytes);
    }
  } catch (error) {
    if (error instanceof DestinationError && error.code === "not-found") return;
    throw error;
  }
  const owner = { host: report.host, job: report.job, runId: report.id };
  await to.put(name, bufferSource(Buffer.concat(chunks)), { area: "record", owner, signal });
}
