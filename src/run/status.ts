import type { DeliveryReport, PruneReport, RunStatus, RunWarning, StepReport } from "../contracts/run.ts";

export interface StatusInput {
  /** Set when a signal or a kill ended the run. */
  readonly interrupted: boolean;
  /** A job that was already running when it was due again. */
  readonly skipped: boolean;
  readonly steps: readonly StepReport[];
  readonly deliveries: readonly DeliveryReport[];
  readonly prunes: readonly PruneReport[];
  readonly warnings: readonly RunWarning[];
  /** Why nothing could be stored: no destination, no file, lock timeout, bad config, `BACKUP_TIMEOUT`, …. */
  readonly fatal: string | undefined;
}

/**
 * The one place that decides what a run was. `success` means: stored at every destination, nothing missing, nothing
 * failed. Records and notifications never change it (their failures are visible in the steps).
 */
export function overallStatus(input: StatusInput): RunStatus {
  if (input.skipped) return "skipped";
  if (input.interrupted) return "interrupted";
  if (input.fatal !== undefined) return "failed";
  if (!input.deliveries.some((delivery) => delivery.status === "stored")) return "failed";
  const flawed =
    input.deliveries.some((delivery) => delivery.status === "failed") ||
    input.prunes.some((prune) => prune.error !== undefined) ||
    input.warnings.some((warning) => warning.level === "warning") ||
    input.steps.some((step) => step.outcome !== "ok" && step.outcome !== "skipped" && !BESIDE_THE_DATA.has(step.phase));
  return flawed ? "partial" : "success";
}

const BESIDE_THE_DATA: ReadonlySet<string> = new Set(["record", "notify", "lock"]);

/** `design.md`, "A run": 0 success, 1 failed or interrupted, 3 partial, 4 locked, 5 bad config. Skipped counts as locked. */
export function exitCodeOf(status: RunStatus, locked: boolean): number {
  switch (status) {
    case "success":
      return 0;
    case "partial":
      return 3;
    case "skipped":
      return 4;
    case "failed":
      return locked ? 4 : 1;
    case "interrupted":
      return 1;
  }
}

const BAD_TO_WORSE = [0, 3, 4, 1, 5, 2];

/** Of several jobs' exit codes the worst: bad config, then failed, locked, partial, success. */
export function worstExitCode(codes: readonly number[]): number {
  return codes.reduce((worst, code) => (BAD_TO_WORSE.indexOf(code) > BAD_TO_WORSE.indexOf(worst) ? code : worst), 0);
}
