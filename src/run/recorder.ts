import type {
  ArchiveReport,
  DeliveryReport,
  Phase,
  PruneReport,
  RunReport,
  RunTrigger,
  RunWarning,
  StepOutcome,
  StepReport,
} from "../contracts/run.ts";
import type { Clock } from "../lib/clock.ts";
import type { Redactor } from "../lib/redact.ts";
import { messageOf } from "../lib/errors.ts";
import { newRunId } from "../lib/run-id.ts";
import { overallStatus } from "./status.ts";

/** What a step's work may return to say more than "ok". */
export interface StepResult {
  readonly outcome?: StepOutcome;
  readonly detail?: string;
}

/** Collects what happened in a run. Every text is redacted on its way in. */
export interface Recorder {
  readonly id: string;
  /** Times `work`, records how it ended, and passes on what it threw. */
  step<T>(
    phase: Phase,
    target: string | undefined,
    work: () => Promise<T>,
    describe?: (value: T) => StepResult,
  ): Promise<T>;
  warn(text: string): void;
  note(text: string): void;
  /** The run can't be a success any more; the first text given wins. */
  fail(text: string): void;
  interrupt(text: string): void;
  skip(text: string): void;
  archived(archive: ArchiveReport): void;
  delivered(reports: readonly DeliveryReport[]): void;
  pruned(report: PruneReport): void;
  readonly hasFailed: boolean;
  /** The run as it stands; `end` closes it with its status. */
  report(end?: "end"): RunReport;
}

export interface RecorderOptions {
  readonly job: string;
  readonly host: string;
  readonly version: string;
  readonly trigger: RunTrigger;
  readonly firedAtMs: number;
  readonly clock: Clock;
  readonly redact: Redactor;
}

const MOST_WARNINGS = 200;

export function createRecorder(options: RecorderOptions): Recorder {
  const { clock, redact } = options;
  const startedAtMs = clock.now();
  const id = newRunId(startedAtMs);
  const steps: StepReport[] = [];
  const deliveries: DeliveryReport[] = [];
  const prunes: PruneReport[] = [];
  const warnings: RunWarning[] = [];
  let archive: ArchiveReport | undefined;
  let fatal: string | undefined;
  let interrupted: string | undefined;
  let skipped: string | undefined;

  const say = (level: RunWarning["level"], text: string): void => {
    if (warnings.length < MOST_WARNINGS) warnings.push({ level, text: redact(text) });
  };

  const whyNot = (): string | undefined => {
    const failedDelivery = deliveries.find((delivery) => delivery.status === "failed");
    return (
      skipped ??
      interrupted ??
      fatal ??
      (failedDelivery && `${failedDelivery.destination}: ${failedDelivery.error ?? "failed"}`) ??
      warnings.find((warning) => warning.level === "warning")?.text ??
      prunes.find((prune) => prune.error !== undefined)?.error ??
      steps.find((step) => step.outcome === "failed" || step.outcome === "warning")?.detail
    );
  };

  return {
    id,
    async step(phase, target, work, describe) {
      const began = clock.now();
      const done = (outcome: StepOutcome, detail: string | undefined): void => {
        steps.push({
          phase,
          ...(target === undefined ? {} : { target }),
          startedAt: new Date(began).toISOString(),
          durationMs: clock.now() - began,
          outcome,
          ...(detail === undefined ? {} : { detail: redact(detail) }),
        });
      };
      try {
        const value = await work();
        const said = describe?.(value);
        done(said?.outcome ?? "ok", said?.detail);
        return value;
      } catch (thrown) {
        done("failed", messageOf(thrown));
        throw thrown;
      }
    },
    warn: (text) => say("warning", text),
    note: (text) => say("note", text),
    fail: (text) => {
      fatal ??= redact(text);
    },
    interrupt: (text) => {
      interrupted ??= redact(text);
    },
    skip: (text) => {
      skipped ??= redact(text);
    },
    archived: (value) => {
      archive = value;
    },
    delivered: (reports) => {
      deliveries.push(
        ...reports.map((report) => (report.error === undefined ? report : { ...report, error: redact(report.error) })),
      );
    },
    pruned: (report) => {
      prunes.push(report.error === undefined ? report : { ...report, error: redact(report.error) });
    },
    get hasFailed() {
      return fatal !== undefined || interrupted !== undefined;
    },
    report(end) {
      const status =
        end === undefined
          ? "running"
          : overallStatus({
              interrupted: interrupted !== undefined,
              skipped: skipped !== undefined,
              steps,
              deliveries,
              prunes,
              warnings,
              fatal,
            });
      const error = status === "success" || status === "running" ? undefined : whyNot();
      return {
        version: 1,
        id,
        job: options.job,
        host: options.host,
        lifeboat: options.version,
        trigger: options.trigger,
        status,
        firedAt: new Date(options.firedAtMs).toISOString(),
        startedAt: new Date(startedAtMs).toISOString(),
        ...(end === undefined ? { pid: process.pid } : { endedAt: new Date(clock.now()).toISOString() }),
        ...(archive === undefined ? {} : { archive }),
        steps: [...steps],
        deliveries: [...deliveries],
        prunes: [...prunes],
        warnings: [...warnings],
        ...(error === undefined ? {} : { error }),
      };
    },
  };
}
