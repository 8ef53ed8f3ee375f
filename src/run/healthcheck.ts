import type { Job } from "../contracts/job.ts";
import type { RunReport } from "../contracts/run.ts";
import type { RunContext, TaskContext } from "./context.ts";
import { defaultMessage } from "../notifications/messages.ts";
import { type Ping, sendPing } from "../notifications/healthcheck.ts";
import { HEALTHCHECK_URL } from "../notifications/settings.ts";

/** Pings of one run. Nothing here delays or fails it. */
export interface Healthcheck {
  /** Resolves when both pings are done with. */
  ended(report: RunReport, log: readonly string[]): Promise<void>;
}

const NONE: Healthcheck = { ended: () => Promise.resolve() };
const LIMIT_MS = 30_000;
/** What a run that is being stopped has left. */
const HURRIED_MS = 2_000;

/** Sends the start ping at once, beside the run. */
export function startHealthcheck(context: RunContext): Healthcheck {
  const ping = pingOf(context, context.job);
  if (ping === undefined) return NONE;
  const started = ping("start", "");
  return {
    async ended(report, lines) {
      await started;
      // Skipped runs never come here; a partial one needs somebody's eyes.
      await ping(report.status === "success" ? "success" : "fail", bodyOf(report, lines));
    },
  };
}

/** A later try delivered what was missing: the run is a success after all. */
export async function pingLaterSuccess(report: RunReport, job: Job, context: TaskContext): Promise<void> {
  await pingOf(context, job)?.("success", bodyOf(report, []));
}

function pingOf(context: TaskContext, job: Job): ((kind: Ping, body: string) => Promise<void>) | undefined {
  const url = job.values.get(HEALTHCHECK_URL);
  if (url === undefined || url === "") return undefined;
  return async (kind, body) => {
    const signal = AbortSignal.timeout(context.signal.aborted ? HURRIED_MS : LIMIT_MS);
    const problem = await sendPing(url, kind, body, { signal, environment: job.environment });
    if (problem !== undefined) context.log.error(`the health check was not told of ${kind}: ${problem}`);
  };
}

function bodyOf(report: RunReport, log: readonly string[]): string {
  return defaultMessage({ kind: "run", report, previous: undefined, lastGood: undefined, log }).body;
}
