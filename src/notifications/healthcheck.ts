import { createRedactor } from "../lib/redact.ts";
import { retry } from "../lib/retry.ts";
import { trustSystemAuthorities } from "../lib/system-authorities.ts";
import { basicAuth, onOneLine } from "./requests.ts";
import { describeFailure } from "./send/describe-error.ts";
import type { Connections } from "./send/proxies.ts";
import type { Answer } from "./service.ts";
import { decodePercent } from "./url/percent.ts";

/** Healthchecks.io's form: `/start` when a run begins, the URL itself when it succeeded, `/fail` when it did not. */
export type Ping = "start" | "success" | "fail";

const SUFFIX: Readonly<Record<Ping, string>> = { start: "/start", success: "", fail: "/fail" };

/** Healthchecks.io keeps the first 100 kB of a body. */
const LONGEST_BODY = 100_000;
const ATTEMPT_MS = 10_000;
const QUOTED_CHARACTERS = 200;
/** Shorter parts are words such as `ping`; masking them would garble every message. */
const SHORTEST_HIDDEN = 6;

export interface PingOptions {
  readonly signal: AbortSignal;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** For tests: wait before the second attempt. */
  readonly baseMs?: number;
}

export function isPingUrl(url: string): boolean {
  return /^https?:$/.test(URL.parse(url)?.protocol ?? "");
}

/** Adds the ping's suffix to the path; a query stays where it is, user info goes into a header. */
export function pingUrl(url: string, ping: Ping): string {
  const parsed = new URL(url);
  parsed.username = "";
  parsed.password = "";
  parsed.pathname = parsed.pathname.replace(/\/+$/, "") + SUFFIX[ping];
  return parsed.href;
}

/** Sends one ping. Returns what went wrong, without any part of the URL that may be a secret; undefined where it arrived. Never rejects. */
export async function sendPing(
  url: string,
  ping: Ping,
  body: string,
  options: PingOptions,
): Promise<string | undefined> {
  if (!isPingUrl(url)) return "it is no http or https URL";
  const { createConnections } = await import("./send/proxies.ts");
  trustSystemAuthorities();
  const redact = createRedactor(secretsOf(new URL(url)));
  const connections = createConnections(options.environment ?? process.env);
  try {
    await retry(() => pingOnce(url, ping, body, connections, options.signal), {
      attempts: 3,
      baseMs: options.baseMs ?? 1_000,
      maxMs: 5_000,
      signal: options.signal,
      isTransient: (thrown) => !(thrown instanceof Refused) || thrown.canRetry,
    });
    return undefined;
  } catch (thrown) {
    const problem = thrown instanceof Refused ? thrown.message : `no answer: ${describeFailure(thrown).problem}`;
    const line = redact(onOneLine(problem));
    return line.length > QUOTED_CHARACTERS ? `${line.slice(0, QUOTED_CHARACTERS)}…` : line;
  } finally {
    await connections.close();
  }
}

/** The service answered, and not well. */
class Refused extends Error {
  readonly canRetry: boolean;

  constructor({ status, text }: Answer) {
    super(`status ${status}: ${text}`);
    this.canRetry = status === 429 || status >= 500;
  }
}

async function pingOnce(
  url: string,
  ping: Ping,
  body: string,
  connections: Connections,
  signal: AbortSignal,
): Promise<void> {
  const { exchange } = await import("./send/http.ts");
  const { username, password } = new URL(url);
  const answer = await exchange(
    {
      method: "POST",
      url: pingUrl(url, ping),
      headers: {
        "Content-Type": "text/plain; charset=utf-8",
        ...(username === "" ? {} : basicAuth(decoded(username), decoded(password))),
      },
      body: body.slice(0, LONGEST_BODY),
    },
    connections,
    AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)]),
  );
  if (answer.status >= 300) throw new Refused(answer);
}

/** A `%` that begins no escape stands for itself. */
function decoded(text: string): string {
  return decodePercent(text.replaceAll(/%(?![0-9a-fA-F]{2})/g, "%25"), "user info");
}

function secretsOf({ href, username, password, pathname, searchParams }: URL): string[] {
  const parts = [...pathname.split("/"), ...searchParams.values()].filter((part) => part.length >= SHORTEST_HIDDEN);
  return [href, username, password, ...parts];
}
