import type { DeliveryReport, RunReport, StepReport } from "../contracts/run.ts";
import { overallStatus } from "./status.ts";

/** The run whose archive is still to be delivered somewhere: the job's last one that came due, if it made an archive. */
export function waitingRun(newestFirst: readonly RunReport[]): RunReport | undefined {
  // A run that was skipped, or a complaint about the configuration, is none: nothing was done in it.
  const last = newestFirst.find((run) => run.steps.length > 0);
  if (last === undefined || last.status === "running" || last.archive === undefined) return undefined;
  return last.deliveries.some(({ status }) => status === "failed") ? last : undefined;
}

/** The run's report once later tries ended so, with its status as it is then. Pure. */
export function afterLaterDeliveries(report: RunReport, later: readonly DeliveryReport[], step: StepReport): RunReport {
  const byLabel = new Map(later.map((delivery) => [delivery.destination, delivery]));
  const deliveries = report.deliveries.map((before) => {
    const now = byLabel.get(before.destination);
    if (now === undefined || before.status === "stored") return before;
    const attempts = before.attempts + now.attempts;
    return now.status === "stored" ? { ...now, attempts, deliveredAt: endOf(step) } : { ...now, attempts };
  });
  const isEverywhere = deliveries.every(({ status }) => status === "stored");
  const steps = [
    ...report.steps.map((earlier) =>
      isEverywhere && earlier.phase === "deliver" && earlier.outcome === "failed"
        ? { ...earlier, outcome: "ok" as const, detail: "what failed was stored by a later try" }
        : earlier,
    ),
    ...(isEverywhere || later.some(({ status }) => status === "stored") ? [step] : []),
  ];
  // What else was wrong with the run (it took too long, say) stays true.
  const isOfDelivery = report.deliveries.some(
    ({ destination, status, error }) => status === "failed" && report.error === `${destination}: ${error ?? "failed"}`,
  );
  const other =
    isOfDelivery || report.error === undefined || report.status === "interrupted" ? undefined : report.error;
  const isNew = other !== undefined && !report.warnings.some(({ text }) => text === other);
  const warnings = isNew ? [...report.warnings, { level: "warning" as const, text: other }] : report.warnings;
  const status = overallStatus({
    interrupted: report.status === "interrupted",
    skipped: false,
    steps,
    deliveries,
    prunes: report.prunes,
    warnings,
    fatal: undefined,
  });
  const failed = deliveries.find((delivery) => delivery.status === "failed");
  const { error: _, ...rest } = report;
  const error =
    status === "success"
      ? undefined
      : report.status === "interrupted"
        ? report.error
        : failed === undefined
          ? (other ?? warnings.find(({ level }) => level === "warning")?.text ?? report.error)
          : `${failed.destination}: ${failed.error ?? "failed"}`;
  return { ...rest, status, steps, deliveries, warnings, ...(error === undefined ? {} : { error }) };
}

function endOf({ startedAt, durationMs }: StepReport): string {
  return new Date(Date.parse(startedAt) + durationMs).toISOString();
}
