import type { RunReport } from "../contracts/run.ts";
import type { Fire } from "../schedule/scheduler.ts";
import { newRunId } from "../lib/run-id.ts";

interface Origin {
  readonly host: string;
  readonly version: string;
  readonly nowMs: number;
}

/** A due run that was dropped, because the job's earlier one still ran. */
export function skippedReport(fire: Fire, origin: Origin): RunReport {
  return {
    ...emptyReport(fire.job, origin),
    trigger: fire.trigger,
    status: "skipped",
    firedAt: new Date(fire.firedAtMs).toISOString(),
    error: "the job's earlier run had not ended",
  };
}

/** A run that did not even begin. */
export function failedReport(fire: Fire, error: string, origin: Origin): RunReport {
  return {
    ...emptyReport(fire.job, origin),
    trigger: fire.trigger,
    firedAt: new Date(fire.firedAtMs).toISOString(),
    error,
  };
}

/** A configuration that could not be used when it was read again. */
export function configReport(job: string, problems: readonly string[], origin: Origin): RunReport {
  return {
    ...emptyReport(job, origin),
    status: "failed",
    error: `bad configuration: ${problems.join("; ").slice(0, 2000)}`,
  };
}

function emptyReport(job: string, { host, version, nowMs }: Origin): RunReport {
  const now = new Date(nowMs).toISOString();
  return {
    version: 1,
    id: newRunId(nowMs),
    job,
    host,
    lifeboat: version,
    trigger: "schedule",
    status: "failed",
    firedAt: now,
    startedAt: now,
    endedAt: now,
    steps: [],
    deliveries: [],
    prunes: [],
    warnings: [],
  };
}
