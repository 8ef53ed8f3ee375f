import type { Job } from "../contracts/job.ts";
import type { SendReport } from "../contracts/notification.ts";
import type { StepReport } from "../contracts/run.ts";
import type { TellContext } from "./context.ts";
import { eventName, isTold, levelOf, type NotificationEvent } from "../notifications/events.ts";
import { type JobRoute, jobRoutes } from "../notifications/job-routes.ts";
import { renderMessage, loadTemplates } from "../notifications/templates.ts";
import { sendAll } from "../notifications/send/send-all.ts";
import { messageOf } from "../lib/errors.ts";
import { createRedactor } from "../lib/redact.ts";
import { zoneOf } from "../lib/zone-setting.ts";
import { openOutbox, type Outbox } from "../state/outbox.ts";

/** A stop leaves eight seconds for everything; what is not sent by then is kept for later. */
const HURRIED_MS = 2_500;
const CALM_MS = 120_000;
const FIRST_RETRY_MS = 60_000;
const LONGEST_RETRY_MS = 3_600_000;
/** What is a day old is no news any more. */
const GIVEN_UP_AFTER_MS = 24 * 3_600_000;

/**
 * Tells everybody who is to be told of an event. Never rejects, and changes no status: what could not be delivered is in
 * the steps that it returns, in the log, and where another try may help in the outbox.
 */
export async function tell(event: NotificationEvent, job: Job, context: TellContext): Promise<readonly StepReport[]> {
  const { log, clock } = context;
  const parsed = jobRoutes(job.values);
  const routes = parsed.routes.filter((route) => isTold(route.level, event));
  const startedAt = new Date(clock.now()).toISOString();
  const steps = parsed.problems.map((detail): StepReport => step("notification URLs", startedAt, 0, "failed", detail));
  for (const { detail } of steps) log.error(`a notification URL can't be used: ${detail ?? ""}`);
  if (routes.length === 0) return steps;
  try {
    const message = render(event, job, context);
    const signal = deadline(context);
    const reports = await sendAll(routes, message, { signal, log, environment: job.environment });
    const waiting = reports.filter(({ isDelivered, canRetry }) => !isDelivered && canRetry);
    if (waiting.length > 0) await keep(waiting, message, job, context);
    return [...steps, ...reports.map((report) => describe(report, startedAt, context))];
  } catch (thrown) {
    log.error(`notifications failed: ${messageOf(thrown)}`);
    return [...steps, step("notifications", startedAt, 0, "failed", messageOf(thrown))];
  }
}

interface Message {
  readonly title: string;
  readonly body: string;
  readonly level: "error" | "info";
  readonly job: string;
  readonly status: string;
}

function render(event: NotificationEvent, job: Job, context: TellContext): Message {
  const { log, settings, options, redact } = context;
  const templates = loadTemplates(options.templateFolders, (name) => {
    const value = job.environment[name];
    return value === undefined ? undefined : redact(value);
  });
  for (const problem of templates.problems) log.error(`a notification template can't be used: ${problem}`);
  const zone = zoneOf(job.values);
  const { title, body, problems } = renderMessage(event, templates.set, { settings, values: job.values, zone });
  for (const problem of problems) log.error(`a notification template failed: ${problem}`);
  return { title, body, level: levelOf(event), job: job.name, status: eventName(event) };
}

/** A run that is being stopped has little time; its message waits in the outbox where it can't be sent at once. */
function deadline({ signal }: TellContext): AbortSignal {
  if (signal.aborted) return AbortSignal.timeout(HURRIED_MS);
  const hurried = new AbortController();
  signal.addEventListener("abort", () => setTimeout(() => hurried.abort(signal.reason), HURRIED_MS).unref(), {
    once: true,
  });
  return AbortSignal.any([hurried.signal, AbortSignal.timeout(CALM_MS)]);
}

function describe(report: SendReport, startedAt: string, { log }: TellContext): StepReport {
  const { label, isDelivered, canRetry, problems, tookMs } = report;
  const detail = problems.join("; ");
  if (isDelivered && problems.length === 0) log.info(`told ${label}`);
  else if (isDelivered) log.info(`told ${label}: ${detail}`);
  else log.error(`could not tell ${label}: ${detail}${canRetry ? "; it is tried again later" : ""}`);
  return step(label, startedAt, tookMs, isDelivered ? "ok" : "failed", detail === "" ? undefined : detail);
}

function step(
  target: string,
  startedAt: string,
  durationMs: number,
  outcome: StepReport["outcome"],
  detail: string | undefined,
): StepReport {
  return { phase: "notify", target, startedAt, durationMs, outcome, ...(detail === undefined ? {} : { detail }) };
}

async function keep(
  reports: readonly SendReport[],
  { title, body, level, status }: Message,
  job: Job,
  { options, clock, log }: TellContext,
): Promise<void> {
  const outbox = await openOutbox({ stateDir: options.stateDir, onNote: (text) => log.warn(text) });
  const now = clock.now();
  for (const { routeId, deliveredTargets } of reports) {
    outbox.add({
      job: job.name,
      routeId,
      title,
      body,
      level,
      status,
      delivered: deliveredTargets,
      createdMs: now,
      nextMs: now + FIRST_RETRY_MS,
      attempts: 1,
    });
  }
  outbox.close();
}

/**
 * Tries again what could not be told, of these jobs. Returns when the next try is due, milliseconds since the epoch;
 * undefined where nothing waits. Never rejects.
 */
export async function tellAgain(jobs: readonly Job[], context: TellContext): Promise<number | undefined> {
  const { options, clock, log } = context;
  const outbox = await openOutbox({ stateDir: options.stateDir, onNote: (text) => log.warn(text) });
  try {
    const byName = new Map(jobs.map((job) => [job.name, job]));
    await Promise.all(
      outbox.due(clock.now()).map(async (entry) => {
        const job = byName.get(entry.job);
        const route = job && jobRoutes(job.values).routes.find(({ id }) => id === entry.routeId);
        // The URL is gone from the configuration: nobody is left to be told.
        if (route === undefined) outbox.remove(entry.id);
        else await tryAgain(entry, route, job?.environment ?? {}, outbox, context);
      }),
    );
    return outbox.nextMs();
  } catch (thrown) {
    log.warn(`notifications that wait could not be sent: ${messageOf(thrown)}`);
    return undefined;
  } finally {
    outbox.close();
  }
}

async function tryAgain(
  entry: ReturnType<Outbox["due"]>[number],
  route: JobRoute,
  environment: Readonly<Record<string, string>>,
  outbox: Outbox,
  context: TellContext,
): Promise<void> {
  const { clock, log } = context;
  const { title, body, level, job, status, attempts, createdMs } = entry;
  const [report] = await sendAll(
    [route],
    { title, body, level, job, status },
    {
      signal: deadline(context),
      log,
      environment,
      skip: new Map([[route.id, entry.delivered]]),
    },
  );
  if (report === undefined) return;
  const detail = createRedactor(route.secrets)(report.problems.join("; "));
  const isOld = clock.now() - createdMs > GIVEN_UP_AFTER_MS;
  if (report.isDelivered || !report.canRetry || isOld) {
    outbox.remove(entry.id);
    if (report.isDelivered) log.info(`told ${route.label} at attempt ${attempts + 1}`, { job });
    else log.error(`could not tell ${route.label}, and it is not tried again: ${detail}`, { job });
    return;
  }
  const waitMs = Math.min(FIRST_RETRY_MS * 2 ** attempts, LONGEST_RETRY_MS);
  outbox.update(entry.id, {
    delivered: report.deliveredTargets,
    nextMs: clock.now() + waitMs,
    attempts: attempts + 1,
  });
  log.warn(`could not tell ${route.label} yet: ${detail}`, { job });
}
