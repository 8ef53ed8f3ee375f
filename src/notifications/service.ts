import type { Log } from "../contracts/log.ts";
import type { NotificationMessage } from "../contracts/notification.ts";
import type { GoUrl } from "./url/go-url.ts";

/** One HTTP request of a service. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Whom or what it serves, for messages and for later tries: `chat 2`. Stays the same from try to try. */
  readonly target?: string;
  /** The user asked for it: the server's certificate is not checked. */
  readonly acceptsAnyCertificate?: boolean;
  /** Headers of the user's own that a redirect to another host must not take along, besides the usual credentials. */
  readonly secretHeaders?: readonly string[];
  /** Its failure is the service's own matter (it tries something else), so it is not reported. */
  readonly mayFail?: boolean;
  /** Whether this refusal makes the service send something else, so that it is not reported. */
  hasSecondTry?(answer: Answer): boolean;
  /** Only leads to another request (a login, a join): its success delivers nothing yet. */
  readonly isStep?: boolean;
}

export interface Answer {
  readonly status: number;
  /** By name in lower case. */
  header(name: string): string | undefined;
  readonly text: string;
  /** The text broke off: the connection was cut or time was up. */
  readonly isCut?: boolean;
  /** A redirect made a GET of the request, so this server never got its body. */
  readonly isBodyLost?: boolean;
}

/** What the runner made of a request: the answer, and why it counts as a failure if it does. */
export interface Outcome {
  readonly isOk: boolean;
  /** Absent where none came. */
  readonly answer?: Answer;
}

/** The requests of one message, in order; each step is told the outcome of the one before. */
export type Exchange = Iterable<HttpRequest, void, Outcome>;

interface Described<Config> {
  /** As it is shown: the scheme in most cases. */
  readonly name: string;
  readonly schemes: readonly string[];
  /** @throws UrlProblem */
  parse(url: GoUrl): Config;
  /** Reads what follows `name+`. Absent: the service has no such form. @throws UrlProblem */
  parseCustom?(inner: GoUrl): Config;
  /** Texts of the configuration that no message may hold, besides user info and the query's values. */
  secrets?(config: Config): readonly string[];
  /** What the user should know although the URL works. */
  warnings?(config: Config): readonly string[];
  /** Bound of one message, all requests and retries included. */
  deadlineMs?(config: Config): number;
}

/** A service over HTTP: pure functions only. The runner sends, retries, bounds and redacts. */
export interface HttpService<Config> extends Described<Config> {
  requests(config: Config, message: NotificationMessage): Exchange;
  /** Why an answer is a failure although its status is 2xx; undefined where it is none. */
  refusal?(answer: Answer, config: Config): string | undefined;
  /** How long it asks to be left alone, milliseconds, where it does not say so in `Retry-After`. */
  retryAfterMs?(answer: Answer): number | undefined;
}

export interface DeliveryContext {
  /** Aborts at the deadline or when the caller gives up. */
  readonly signal: AbortSignal;
  readonly log: Log | undefined;
  /** Targets that have the message already. */
  readonly skip: ReadonlySet<string>;
  delivered(target: string): void;
  failed(failure: Failure): void;
  /** Delivered, but the user should know. */
  noticed(text: string): void;
}

export interface Failure {
  readonly problem: string;
  /** Another try could help. */
  readonly canRetry: boolean;
}

/** A service with a protocol of its own; what needs a library imports it when it is first used. */
export interface ProtocolService<Config> extends Described<Config> {
  /** Rejects with anything: the runner says what. */
  deliver(config: Config, message: NotificationMessage, context: DeliveryContext): Promise<void>;
}

/** A service bound to one URL. */
export type OpenService = {
  readonly secrets: readonly string[];
  readonly warnings: readonly string[];
  readonly deadlineMs: number;
} & (
  | {
      readonly kind: "http";
      requests(message: NotificationMessage): Exchange;
      refusal(answer: Answer): string | undefined;
      retryAfterMs(answer: Answer): number | undefined;
    }
  | {
      readonly kind: "protocol";
      deliver(message: NotificationMessage, context: DeliveryContext): Promise<void>;
    }
);

/** A service in the registry, whatever its configuration looks like. */
export interface Registered {
  readonly name: string;
  readonly schemes: readonly string[];
  readonly hasCustomForm: boolean;
  /** @throws UrlProblem */
  open(url: GoUrl, form: "own" | "custom"): OpenService;
}

const DEADLINE_MS = 20_000;

export function httpService<Config>(service: HttpService<Config>): Registered {
  return register(service, (config, common) => ({
    ...common,
    kind: "http",
    requests: (message) => service.requests(config, message),
    refusal: (answer) => service.refusal?.(answer, config),
    retryAfterMs: (answer) => service.retryAfterMs?.(answer),
  }));
}

export function protocolService<Config>(service: ProtocolService<Config>): Registered {
  return register(service, (config, common) => ({
    ...common,
    kind: "protocol",
    deliver: (message, context) => service.deliver(config, message, context),
  }));
}

function register<Config>(
  service: Described<Config>,
  bind: (config: Config, common: Pick<OpenService, "secrets" | "warnings" | "deadlineMs">) => OpenService,
): Registered {
  const { name, schemes } = service;
  return {
    name,
    schemes,
    hasCustomForm: service.parseCustom !== undefined,
    open(url, form) {
      const config =
        form === "custom" && service.parseCustom !== undefined ? service.parseCustom(url) : service.parse(url);
      return bind(config, {
        secrets: service.secrets?.(config) ?? [],
        warnings: service.warnings?.(config) ?? [],
        deadlineMs: service.deadlineMs?.(config) ?? DEADLINE_MS,
      });
    },
  };
}
