import type { NotificationLevel } from "../contracts/notification.ts";
import type { RunReport } from "../contracts/run.ts";

/** What people are told about. */
export type NotificationEvent =
  | {
      readonly kind: "run";
      readonly report: RunReport;
      /** The job's run before this one that came to an end; skipped ones don't count. */
      readonly previous: RunReport | undefined;
      /** The last run whose archive this one's can be compared with. */
      readonly lastGood: RunReport | undefined;
      /** Lines of the run's log, oldest first. */
      readonly log: readonly string[];
    }
  | {
      readonly kind: "missed";
      readonly job: string;
      readonly dueAtMs: number;
      readonly isCaughtUp: boolean;
    }
  | {
      readonly kind: "too-old";
      readonly job: string;
      /** Undefined: there has never been a good backup, as far as anything remembers. */
      readonly lastGoodAtMs: number | undefined;
      readonly maxAgeMs: number;
    };

/**
 * `error`: failed, partial, interrupted, skipped, a broken configuration, a missed run, a backup that is too old.
 * `info`: success.
 */
export function levelOf(event: NotificationEvent): NotificationLevel {
  return event.kind === "run" && event.report.status === "success" ? "info" : "error";
}

/** Whether a route of this level is told. A route of level `info` is told everything. */
export function isTold(routeLevel: NotificationLevel, event: NotificationEvent): boolean {
  return routeLevel === "info" || levelOf(event) === "error";
}

/** The first success after a run that was none. */
export function isRecovery(event: NotificationEvent): boolean {
  if (event.kind !== "run" || event.report.status !== "success") return false;
  return event.previous !== undefined && event.previous.status !== "success";
}

/** The same run, made complete by a later try. */
export function isLaterSuccess(event: NotificationEvent): boolean {
  return event.kind === "run" && isRecovery(event) && event.previous?.id === event.report.id;
}

/** A configuration that can't be used is recorded as a failed run without a single step. */
export function isBrokenConfig(report: RunReport): boolean {
  return (
    report.status === "failed" && report.steps.length === 0 && (report.error ?? "").startsWith("bad configuration")
  );
}

/** As messages and outbox name it: the run's status, or what else happened. */
export function eventName(event: NotificationEvent): string {
  if (event.kind !== "run") return event.kind;
  if (isBrokenConfig(event.report)) return "bad-config";
  return isRecovery(event) ? "recovered" : event.report.status;
}

export function jobOf(event: NotificationEvent): string {
  return event.kind === "run" ? event.report.job : event.job;
}
