import { messageOf } from "../lib/errors.ts";
import { retry } from "../lib/retry.ts";
import type { Connections } from "./send/proxies.ts";

/** Healthchecks.io's form: `/start` when a run begins, the URL itself when it succeeded, `/fail` when it did not. */
export type Ping = "start" | "success" | "fail";

const SUFFIX: Readonly<Record<Ping, string>> = { start: "/start", success: "", fail: "/fail" };

/** Healthchecks.io keeps the first 100 kB of a body. */
const LONGEST_BODY = 100_000;
const ATTEMPT_MS = 10_000;

export interface PingOptions {
  readonly signal: AbortSignal;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** For tests: wait before the second attempt. */
  readonly baseMs?: number;
}

/** Adds the ping's suffix to the path; a query stays where it is. */
export function pingUrl(url: string, ping: Ping): string {
  const parsed = new URL(url);
  parsed.pathname = parsed.pathname.replace(/\/+$/, "") + SUFFIX[ping];
  return parsed.href;
}

/** Sends one ping. Returns what went wrong, without the URL, which is a secret; undefined where it arrived. Never rejects. */
export async function sendPing(
  url: string,
  ping: Ping,
  body: string,
  options: PingOptions,
): Promise<string | undefined> {
  const { createConnections } = await import("./send/proxies.ts");
  const connections = createConnections(options.environment ?? process.env);
  try {
    await retry(() => pingOnce(pingUrl(url, ping), body, connections, options.signal), {
      attempts: 3,
      baseMs: options.baseMs ?? 1_000,
      maxMs: 5_000,
      signal: options.signal,
      isTransient: (thrown) => !(thrown instanceof Refused),
    });
    return undefined;
  } catch (thrown) {
    return thrown instanceof Refused ? thrown.message : `no answer: ${messageOf(thrown)}`;
  } finally {
    await connections.close();
  }
}

/** An answer that another try would not change. */
class Refused extends Error {}

async function pingOnce(url: string, body: string, connections: Connections, signal: AbortSignal): Promise<void> {
  const { request } = await import("undici");
  const limited = AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)]);
  const answer = await request(url, {
    method: "POST",
    body: body.slice(0, LONGEST_BODY),
    headers: { "content-type": "text/plain; charset=utf-8" },
    dispatcher: connections.for(new URL(url), false),
    signal: limited,
  });
  const text = (await answer.body.text()).slice(0, 200);
  if (answer.statusCode < 300) return;
  const message = `status ${answer.statusCode}: ${text}`;
  throw answer.statusCode === 429 || answer.statusCode >= 500 ? new Error(message) : new Refused(message);
}
