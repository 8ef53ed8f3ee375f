import type { Log } from "../../contracts/log.ts";
import type { NotificationMessage, SendReport } from "../../contracts/notification.ts";
import { orAborted } from "../../lib/abortable.ts";
import { messageOf } from "../../lib/errors.ts";
import { createRedactor } from "../../lib/redact.ts";
import { trustSystemAuthorities } from "../../lib/system-authorities.ts";
import type { Route } from "../routes.ts";
import type { DeliveryContext, Failure } from "../service.ts";
import { describeFailure } from "./describe-error.ts";
import type { Connections } from "./proxies.ts";

export interface SendOptions {
  readonly signal: AbortSignal;
  /** Where `logger://` writes. */
  readonly log?: Log;
  /** Targets that have the message from an earlier try, by the route's id. */
  readonly skip?: ReadonlyMap<string, readonly string[]>;
  /** For proxies; the process environment unless told otherwise. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** For tests: instead of connections of its own. */
  readonly connections?: Connections;
  /** For tests: bounds every route instead of the service's own deadline. */
  readonly deadlineMs?: number;
  /** For tests. */
  readonly retryBaseMs?: number;
  /** For tests. */
  readonly attemptMs?: number;
}

const RETRY_BASE_MS = 1_000;
const ATTEMPT_MS = 10_000;

/**
 * Sends one message through all routes at the same time; the reports come in the order of the routes. Never rejects:
 * whatever happens is in a report, without secrets. An abort ends what is still going on.
 */
export async function sendAll(
  routes: readonly Route[],
  message: NotificationMessage,
  options: SendOptions,
): Promise<readonly SendReport[]> {
  if (routes.length === 0) return [];
  const { createConnections } = await import("./proxies.ts");
  trustSystemAuthorities();
  const connections = options.connections ?? createConnections(options.environment ?? process.env);
  try {
    return await Promise.all(routes.map((route) => sendOne(route, message, connections, options)));
  } finally {
    await connections.close();
  }
}

async function sendOne(
  route: Route,
  message: NotificationMessage,
  connections: Connections,
  options: SendOptions,
): Promise<SendReport> {
  const startedAt = performance.now();
  const redact = createRedactor(route.secrets);
  const deadlineMs = options.deadlineMs ?? route.service.deadlineMs;
  const deadline = AbortSignal.timeout(deadlineMs);
  const skip = new Set(options.skip?.get(route.id));
  const delivered = new Set(skip);
  const failures: Failure[] = [];
  const notices: string[] = [];
  const context: DeliveryContext = {
    signal: AbortSignal.any([options.signal, deadline]),
    log: options.log,
    skip,
    delivered: (target) => delivered.add(target),
    failed: (failure) => failures.push(failure),
    noticed: (text) => notices.push(text),
  };
  try {
    const { service } = route;
    if (service.kind === "protocol") {
      await orAborted(service.deliver(message, context), context.signal);
    } else {
      const { deliverOverHttp } = await import("./http-route.ts");
      await deliverOverHttp(message, {
        service,
        connections,
        redact,
        context,
        endsAtMs: startedAt + deadlineMs,
        retryBaseMs: options.retryBaseMs ?? RETRY_BASE_MS,
        attemptMs: options.attemptMs ?? ATTEMPT_MS,
      });
    }
  } catch (thrown) {
    failures.push(outcomeOf(thrown, options.signal, deadline, deadlineMs));
  }
  return {
    routeId: route.id,
    label: route.label,
    isDelivered: failures.length === 0,
    problems: [...failures.map(({ problem }) => problem), ...notices].map(redact),
    canRetry: failures.some(({ canRetry }) => canRetry),
    deliveredTargets: [...delivered],
    tookMs: performance.now() - startedAt,
  };
}

function outcomeOf(thrown: unknown, given: AbortSignal, deadline: AbortSignal, deadlineMs: number): Failure {
  if (given.aborted) return { problem: `given up: ${messageOf(given.reason)}`, canRetry: true };
  if (deadline.aborted) return { problem: `not done within ${deadlineMs / 1000} s`, canRetry: true };
  return describeFailure(thrown);
}
