import type { Destination } from "../contracts/destination.ts";
import type { Log } from "../contracts/log.ts";
import type { DeliveryReport } from "../contracts/run.ts";
import type { MadeArchive } from "./archive-phase.ts";
import type { RunContext } from "./context.ts";
import type { Recorder } from "./recorder.ts";
import { deliverAll } from "../delivery/deliver.ts";
import { pruneDestination } from "../delivery/prune.ts";
import { BACKUP_SKIP_BACKENDS_FROM_PRUNE } from "../retention/settings.ts";
import { formatBytes, formatSpan } from "../lib/bytes.ts";
import { messageOf } from "../lib/errors.ts";
import { retentionDecider, retentionIsConfigured } from "./retention-policy.ts";

interface PhaseInput {
  readonly context: RunContext;
  readonly recorder: Recorder;
  readonly destinations: readonly Destination[];
  readonly signal: AbortSignal;
}

/** Every destination on its own; a failed one is a failed delivery and nothing more. */
export async function deliverPhase(
  input: PhaseInput & { readonly made: MadeArchive },
): Promise<readonly DeliveryReport[]> {
  const { context, recorder, destinations, made, signal } = input;
  const { log } = context;
  const reports = await recorder.step(
    "deliver",
    undefined,
    () =>
      deliverAll(made.staged, destinations, {
        name: made.name,
        owner: { host: context.host, job: context.job.name, runId: recorder.id },
        signal,
        clock: context.clock,
        onRetry: (destination, attempt, error) =>
          log.warn(`${destination}: attempt ${attempt} failed, trying again: ${error}`),
      }),
    (done) => ({ outcome: done.every((report) => report.status === "stored") ? "ok" : "failed" }),
  );
  recorder.delivered(reports);
  for (const report of reports) {
    if (report.status === "stored") {
      log.info(`stored at ${report.destination}`, {
        size: formatBytes(report.sizeBytes ?? 0),
        verified: report.verified,
        took: formatSpan(report.durationMs),
      });
    } else log.error(`not stored at ${report.destination}: ${report.error ?? "unknown error"}`);
  }
  signal.throwIfAborted();
  return reports;
}

/** Only where this run's archive arrived, and never by a rule that the user switched off for that kind. */
export async function prunePhase(
  input: PhaseInput & { readonly made: MadeArchive; readonly deliveries: readonly DeliveryReport[] },
): Promise<void> {
  const { context, recorder, destinations, made, deliveries, signal } = input;
  const { job, log } = context;
  if (!retentionIsConfigured(job)) return;
  const spared = new Set((job.values.get(BACKUP_SKIP_BACKENDS_FROM_PRUNE) ?? []).map((kind) => kind.toLowerCase()));
  const soFar = recorder.report("end");
  const current = { name: made.name, sizeBytes: soFar.archive?.sizeBytes ?? 0, status: soFar.status };
  for (const destination of destinations) {
    const stored = deliveries.some((report) => report.destination === destination.label && report.status === "stored");
    if (!stored || spared.has(destination.kind)) continue;
    try {
      const report = await recorder.step(
        "prune",
        destination.label,
        async () => {
          const { host, clock } = context;
          const decide = await retentionDecider({ job, destination, host, clock, signal, current });
          return pruneDestination(destination, decide, signal);
        },
        (done) => ({
          outcome: done.error === undefined ? "ok" : "failed",
          detail: done.error ?? `${done.removed.length} removed, ${done.kept} kept`,
        }),
      );
      recorder.pruned(report);
      for (const name of report.removed) log.info(`removed ${name}`, { destination: destination.label });
      if (report.error !== undefined) log.error(`pruning ${destination.label} failed: ${report.error}`);
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      recorder.pruned({ destination: destination.label, kept: 0, removed: [], error: messageOf(thrown) });
      log.error(`pruning ${destination.label} failed: ${messageOf(thrown)}`);
    }
  }
}

export async function closeAll(destinations: readonly Destination[], log: Log): Promise<void> {
  for (const destination of destinations) {
    try {
      await destination.close();
    } catch (thrown) {
      log.debug(`closing ${destination.label}: ${messageOf(thrown)}`);
    }
  }
}
