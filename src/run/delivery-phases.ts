import type { Destination } from "../contracts/destination.ts";
import type { Log } from "../contracts/log.ts";
import type { DeliveryReport, RunReport } from "../contracts/run.ts";
import type { RunContext } from "./context.ts";
import type { Recorder } from "./recorder.ts";
import { deliverAll } from "../delivery/deliver.ts";
import { pruneDestination, pruneFailure } from "../delivery/prune.ts";
import { UPLOAD_LIMIT } from "../delivery/settings.ts";
import type { StagedArchive } from "../delivery/staged-archive.ts";
import { createUploadLimit } from "../delivery/upload-limit.ts";
import type { History } from "../state/history.ts";
import { formatBytes, formatSpan } from "../lib/bytes.ts";
import { messageOf } from "../lib/errors.ts";
import { isSpared, retentionDecider, retentionIsConfigured } from "./retention-policy.ts";

interface PhaseInput {
  readonly context: RunContext;
  readonly recorder: Recorder;
  readonly destinations: readonly Destination[];
  readonly signal: AbortSignal;
}

/** What is on its way to all destinations. */
export interface Deliveries {
  /** Never rejects. */
  readonly ended: Promise<readonly DeliveryReport[]>;
  /** Ends those that still go on, without a word: there will be no archive, or another one. */
  stop(): void;
}

export interface DeliverInput extends PhaseInput {
  readonly name: string;
  readonly staged: StagedArchive;
  /** Comes before the first byte to each remote store. */
  prepare(destination: Destination, signal: AbortSignal): Promise<void>;
}

/** Every destination on its own, beside the archive phase; a failed one is a failed delivery and nothing more. */
export function startDeliveries(input: DeliverInput): Deliveries {
  const { context, recorder, destinations, name, staged, signal } = input;
  const { log, job } = context;
  const stopping = new AbortController();
  const ended = deliverAll(staged, destinations, {
    name,
    owner: { host: context.host, job: job.name, runId: recorder.id },
    signal: AbortSignal.any([signal, stopping.signal]),
    clock: context.clock,
    uploadLimit: createUploadLimit(job.values.get(UPLOAD_LIMIT)),
    prepare: input.prepare,
    onRetry: (destination, attempt, error) =>
      log.warn(`${destination}: attempt ${attempt} failed, trying again: ${error}`),
    onDone: (report) => {
      if (!stopping.signal.aborted) sayDelivery(report, log);
    },
  });
  return { ended, stop: () => stopping.abort(new Error("the archive was not completed")) };
}

export function sayDelivery(report: DeliveryReport, log: Log): void {
  if (report.status === "failed") {
    log.error(`not stored at ${report.destination}: ${report.error ?? "unknown error"}`);
    return;
  }
  log.info(`stored at ${report.destination}`, {
    size: formatBytes(report.sizeBytes ?? 0),
    verified: report.verified,
    took: formatSpan(report.durationMs),
  });
}

/** What the run still waits for once the archive is complete. */
export async function deliverPhase(
  deliveries: Deliveries,
  { recorder, signal }: Pick<PhaseInput, "recorder" | "signal">,
): Promise<readonly DeliveryReport[]> {
  const reports = await recorder.step(
    "deliver",
    undefined,
    () => deliveries.ended,
    (done) => ({ outcome: done.every((report) => report.status === "stored") ? "ok" : "failed" }),
  );
  recorder.delivered(reports);
  signal.throwIfAborted();
  return reports;
}

/** Only where this run's archive arrived, and never by a rule that the user switched off for that kind. */
export async function prunePhase(
  input: PhaseInput & {
    readonly name: string;
    readonly history: History;
    readonly deliveries: readonly DeliveryReport[];
  },
): Promise<void> {
  const { context, recorder, history, destinations, deliveries, signal } = input;
  const { job, log } = context;
  if (!retentionIsConfigured(job)) return;
  const soFar = recorder.report("end");
  const current = {
    name: input.name,
    sizeBytes: soFar.archive?.sizeBytes ?? 0,
    status: soFar.status,
    startedAtMs: Date.parse(soFar.startedAt),
  };
  const pruneOne = async (destination: Destination): Promise<void> => {
    try {
      const report = await recorder.step(
        "prune",
        destination.label,
        async () => {
          const { host, clock } = context;
          const known = (runId: string): RunReport | undefined => history.run(runId);
          const decide = await retentionDecider({ job, destination, host, clock, signal, current, known });
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
      const error = pruneFailure(destination, [thrown]);
      recorder.pruned({ destination: destination.label, kept: 0, removed: [], error });
      log.error(`pruning ${destination.label} failed: ${error}`);
    }
  };
  const stored = new Set(deliveries.filter(({ status }) => status === "stored").map(({ destination }) => destination));
  await Promise.all(destinations.filter(({ kind, label }) => stored.has(label) && !isSpared(job, kind)).map(pruneOne));
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
