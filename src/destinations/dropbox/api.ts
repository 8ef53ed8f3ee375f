import { Dropbox } from "dropbox";
import { sleep } from "../../lib/clock.ts";
import { DestinationError } from "../../lib/errors.ts";
import { createRedactor, type Redactor } from "../../lib/redact.ts";
import { createAccessTokens } from "./access-tokens.ts";
import { beginningOf, createTransport, type HttpAnswer } from "./transport.ts";
import { DropboxFailure, refusalOf, translated } from "./failures.ts";
import { DEFAULT_LIMITS, type DropboxLimits, type DropboxOptions } from "./options.ts";

/** Dropbox's API on our own connections: bounded, with tokens that renew themselves, and `DestinationError`s. */
export interface Api {
  /**
   * The official client, for every call that is JSON or a buffer. It knows routes, hosts and argument encoding; connections,
   * tokens and errors are ours. Each call takes a signal.
   */
  readonly client: Dropbox;
  readonly limits: DropboxLimits;
  /** `files/download`: the client would hold the whole file in memory. Status 200, 206 or 416. */
  download(arg: string, range: string | undefined, signal: AbortSignal): Promise<HttpAnswer>;
  /** Calls `listener` while a body is being taken slowly; returns what ends that. */
  onTaken(listener: () => void): () => void;
  close(): Promise<void>;
}

/** A token that is refused although it was just issued is refused for good. */
const MOST_RENEWALS = 2;
/** As long as the wait of one retry may be. */
const LONGEST_PAUSE_MS = 30_000;

const CLIENT_API = "https://api.dropboxapi.com/";
const CLIENT_CONTENT = "https://content.dropboxapi.com/";

interface Call {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  readonly signal: AbortSignal;
  readonly totalMs?: number;
  isExpected?(status: number): boolean;
}

export function createApi(options: DropboxOptions): Api {
  const { credentials, endpoints } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const secrets = [credentials.refreshToken, credentials.appKey, credentials.appSecret];
  let redactor = createRedactor(secrets);
  const redact: Redactor = (text) => redactor(text);
  const takenListeners = new Set<() => void>();
  const transport = createTransport(limits, () => takenListeners.forEach((listener) => listener()));
  const tokens = createAccessTokens({
    transport,
    endpoint: endpoints.token,
    totalMs: limits.smallCallMs,
    credentials,
    redact,
    onToken(token) {
      redactor = createRedactor([...secrets, token]);
    },
  });
  let pausedUntil = 0;

  const send = async (call: Call): Promise<HttpAnswer> => {
    for (let renewals = 0; ; renewals += 1) {
      const pauseMs = pausedUntil - performance.now();
      if (pauseMs > 0) await sleep(pauseMs, call.signal);
      const token = await tokens.get(call.signal);
      const answer = await transport.post({
        url: call.url,
        headers: { ...call.headers, Authorization: `Bearer ${token}` },
        signal: call.signal,
        ...(call.body === undefined ? {} : { body: call.body }),
        ...(call.totalMs === undefined ? {} : { totalMs: call.totalMs }),
      });
      if (answer.status === 200 || call.isExpected?.(answer.status) === true) return answer;
      const failure = await refusalOf(answer, redact);
      if (failure.status === 401 && /access_token/.test(failure.tag) && renewals < MOST_RENEWALS) {
        tokens.discard(token);
        continue;
      }
      // All calls of this app are meant, not only the one that was told.
      if (failure.retryAfterMs !== undefined)
        pausedUntil = performance.now() + Math.min(failure.retryAfterMs, LONGEST_PAUSE_MS);
      throw failure;
    }
  };

  const sendTranslated = async (call: Call): Promise<HttpAnswer> => {
    try {
      return await send(call);
    } catch (error) {
      throw translated(error, call.signal);
    }
  };

  const clientFetch = async (url: string, init: ClientInit): Promise<ClientResponse> => {
    const isContent = url.startsWith(CLIENT_CONTENT);
    const route = url.slice((isContent ? CLIENT_CONTENT : CLIENT_API).length);
    const signal = init.signal ?? AbortSignal.timeout(limits.smallCallMs);
    const { Authorization: _, ...headers } = init.headers;
    const answer = await sendTranslated({
      url: `${isContent ? endpoints.content : endpoints.api}/${route}`,
      headers,
      signal,
      ...(init.body === undefined || init.body === null ? {} : { body: init.body }),
      // Only a block's bytes may take their time.
      ...(Buffer.isBuffer(init.body) ? {} : { totalMs: limits.smallCallMs }),
    });
    const text = await answer.text().catch((error: unknown) => {
      throw translated(error, signal);
    });
    if (!isJson(text))
      throw new DestinationError("unavailable", `no answer of Dropbox: ${beginningOf(redact(text))}`, {
        hint: "something else answers in its place: a proxy, a login page, or a wrong DROPBOX_ENDPOINT",
      });
    return { ok: true, status: 200, headers: { get: (name) => answer.header(name) ?? null }, text: async () => text };
  };

  return {
    // The token is set for each request above; the client must only believe that it has one.
    client: new Dropbox({ accessToken: "unused", fetch: clientFetch }),
    limits,
    download: (arg, range, signal) =>
      sendTranslated({
        url: `${endpoints.content}/2/files/download`,
        headers: { "Dropbox-API-Arg": headerSafeJson({ path: arg }), ...(range === undefined ? {} : { Range: range }) },
        signal,
        isExpected: (status) => status === 206 || status === 416,
      }),
    onTaken(listener) {
      takenListeners.add(listener);
      return () => void takenListeners.delete(listener);
    },
    close: () => transport.close(),
  };
}

/** What the client passes to its `fetch`, and what it reads of the answer. */
interface ClientInit {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer | string | null;
  readonly signal?: AbortSignal;
}

interface ClientResponse {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

/** `append_v2` answers `null`, or nothing at all. */
function isJson(text: string): boolean {
  if (text === "") return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    // A page in HTML, say.
    return false;
  }
}

/** JSON in a header: everything outside of printable ASCII as `\uXXXX`. */
export function headerSafeJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Whether an upload session is gone: nothing can be added to it or made of it any more. */
export function isLostSession(thrown: unknown): boolean {
  return thrown instanceof DropboxFailure && /^(?:lookup_failed\/)?not_found$/.test(thrown.tag);
}
