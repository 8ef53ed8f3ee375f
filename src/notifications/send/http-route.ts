import type { NotificationMessage } from "../../contracts/notification.ts";
import { retry } from "../../lib/retry.ts";
import { BODY_LOST, onOneLine } from "../requests.ts";
import type { Answer, DeliveryContext, HttpRequest, OpenService, Outcome } from "../service.ts";
import { describeFailure } from "./describe-error.ts";
import { exchange } from "./http.ts";
import type { Connections } from "./proxies.ts";

type OpenHttpService = Extract<OpenService, { kind: "http" }>;

export interface HttpRouteOptions {
  readonly service: OpenHttpService;
  readonly connections: Connections;
  /** What is quoted of an answer goes through it before it is cut: half a secret would not be recognised. */
  redact(text: string): string;
  readonly context: DeliveryContext;
  /** When the route's time is up, on the clock of `performance.now()`. */
  readonly endsAtMs: number;
  /** Wait before the second attempt; doubles with each. */
  readonly retryBaseMs: number;
  /** How long one attempt may take. */
  readonly attemptMs: number;
}

/** The one target of services that have only one. */
const ONLY_TARGET = "all";
const ATTEMPTS = 5;
const QUOTED_CHARACTERS = 300;

/** A refusal or a failed connection, as one line. */
class RequestFailure extends Error {
  readonly canRetry: boolean;
  readonly answer: Answer | undefined;
  readonly waitAskedMs: number | undefined;

  constructor(problem: string, options: { canRetry: boolean; answer?: Answer; waitAskedMs?: number | undefined }) {
    super(problem);
    this.canRetry = options.canRetry;
    this.answer = options.answer;
    this.waitAskedMs = options.waitAskedMs;
  }
}

/** Sends all requests of one message; what fails for one target does not keep the others from it. */
export async function deliverOverHttp(message: NotificationMessage, options: HttpRouteOptions): Promise<void> {
  const { context, service } = options;
  const steps = service.requests(message)[Symbol.iterator]();
  let outcome: Outcome = { isOk: true };
  for (;;) {
    const step = steps.next(outcome);
    if (step.done === true) return;
    const target = step.value.target ?? ONLY_TARGET;
    outcome =
      step.value.isStep !== true && context.skip.has(target) ? { isOk: true } : await send(step.value, target, options);
  }
}

async function send(request: HttpRequest, target: string, options: HttpRouteOptions): Promise<Outcome> {
  const { context } = options;
  try {
    const answer = await attempts(request, options);
    if (request.isStep !== true) context.delivered(target);
    return { isOk: true, answer };
  } catch (thrown) {
    // Out of time or told to stop: nothing further can be sent either.
    if (context.signal.aborted) throw thrown;
    if (!(thrown instanceof RequestFailure)) throw thrown;
    const { message, canRetry, answer } = thrown;
    const problem = request.target === undefined ? message : `${request.target}: ${message}`;
    const isOwnMatter = request.mayFail === true || (answer !== undefined && request.hasSecondTry?.(answer) === true);
    if (!isOwnMatter) context.failed({ problem, canRetry });
    return answer === undefined ? { isOk: false } : { isOk: false, answer };
  }
}

async function attempts(request: HttpRequest, options: HttpRouteOptions): Promise<Answer> {
  const { signal } = options.context;
  const leftMs = Math.max(0, options.endsAtMs - performance.now());
  return retry(() => attempt(request, options), {
    attempts: ATTEMPTS,
    baseMs: options.retryBaseMs,
    maxMs: leftMs,
    totalMs: leftMs,
    signal,
    isTransient: (thrown) =>
      thrown instanceof RequestFailure &&
      thrown.canRetry &&
      (thrown.waitAskedMs ?? 0) <= options.endsAtMs - performance.now(),
    waitAskedMs: (thrown) => (thrown instanceof RequestFailure ? thrown.waitAskedMs : undefined),
  });
}

async function attempt(
  request: HttpRequest,
  { service, connections, context, attemptMs, redact }: HttpRouteOptions,
): Promise<Answer> {
  const timeout = AbortSignal.timeout(attemptMs);
  let answer: Answer;
  try {
    answer = await exchange(request, connections, AbortSignal.any([context.signal, timeout]));
  } catch (thrown) {
    if (context.signal.aborted) throw context.signal.reason;
    if (timeout.aborted) throw new RequestFailure(`no answer within ${attemptMs / 1000} s`, { canRetry: true });
    const { problem, canRetry } = describeFailure(thrown);
    throw new RequestFailure(problem, { canRetry });
  }
  const isGood = answer.status >= 200 && answer.status < 300;
  const reason = isGood ? service.refusal(answer) : undefined;
  if (isGood && reason === undefined) {
    if (answer.isBodyLost === true) context.noticed(BODY_LOST);
    return answer;
  }
  throw new RequestFailure(refusalLine(answer.status, reason, redact(answer.text)), {
    canRetry: answer.status === 429 || answer.status >= 500 || (isGood && answer.isCut === true),
    answer,
    waitAskedMs: retryAfterMs(answer, service),
  });
}

/** `HTTP 404: {"error":"…`: the status and the beginning of the answer, whatever it is. */
function refusalLine(status: number, reason: string | undefined, text: string): string {
  const beginning = onOneLine(text).replaceAll(/\s+/g, " ");
  const quoted = beginning.length > QUOTED_CHARACTERS ? `${beginning.slice(0, QUOTED_CHARACTERS)}…` : beginning;
  return [`HTTP ${status}`, ...(reason === undefined ? [] : [reason]), quoted === "" ? "an empty answer" : quoted].join(
    ": ",
  );
}

/** `Retry-After` in seconds (fractions too) or as a date, else what the service says in its own way. */
function retryAfterMs(answer: Answer, service: OpenHttpService): number | undefined {
  const text = answer.header("retry-after");
  if (text === undefined) return service.retryAfterMs(answer);
  const seconds = Number(text);
  const ms = Number.isNaN(seconds) ? Date.parse(text) - Date.now() : seconds * 1000;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
