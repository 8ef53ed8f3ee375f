import { orAborted } from "../../lib/abortable.ts";
import { DestinationError } from "../../lib/errors.ts";
import type { Redactor } from "../../lib/redact.ts";
import { retryAfterMs } from "../retry-after.ts";
import { LOGIN_HINT, member } from "./failures.ts";
import type { DropboxCredentials } from "./options.ts";
import { beginningOf, type HttpAnswer, type Transport } from "./transport.ts";

/** Short-lived tokens from the lasting one. */
export interface AccessTokens {
  /** A token that is good for a while yet; many callers share one refresh. */
  get(signal: AbortSignal): Promise<string>;
  /** This one was refused: the next `get` asks for another, unless somebody did already. */
  discard(token: string): void;
}

/** How long before its end a token is renewed: at most this, and at most a tenth of its life. */
const AHEAD_MS = 5 * 60_000;
/** What Dropbox gives today, for an answer that does not say. */
const USUAL_LIFE_S = 14_400;

export interface AccessTokensOptions {
  readonly transport: Transport;
  /** Without a slash at the end; `/oauth2/token` lies below. */
  readonly endpoint: string;
  readonly totalMs: number;
  readonly credentials: DropboxCredentials;
  readonly redact: Redactor;
  /** A new secret. */
  onToken(token: string): void;
}

export function createAccessTokens(options: AccessTokensOptions): AccessTokens {
  const { credentials } = options;
  let current: { readonly token: string; readonly renewAt: number } | undefined;
  let refreshing: Promise<string> | undefined;

  const refresh = async (): Promise<string> => {
    const answer = await requestToken(options, {
      grant_type: "refresh_token",
      refresh_token: credentials.refreshToken,
      client_id: credentials.appKey,
      client_secret: credentials.appSecret,
    });
    const lifeMs = answer.expiresInS * 1000;
    current = { token: answer.accessToken, renewAt: performance.now() + lifeMs - Math.min(AHEAD_MS, lifeMs / 10) };
    options.onToken(answer.accessToken);
    return answer.accessToken;
  };

  return {
    async get(signal) {
      signal.throwIfAborted();
      if (current !== undefined && performance.now() < current.renewAt) return current.token;
      // Not bound to one caller's signal: the others still want the token. The transport's own limits end it.
      refreshing ??= refresh().finally(() => (refreshing = undefined));
      return await orAborted(refreshing, signal);
    },
    discard(token) {
      if (current?.token === token) current = undefined;
    },
  };
}

export interface TokenAnswer {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly expiresInS: number;
  readonly scope: string | undefined;
}

/** One call of `/oauth2/token`. Rejects with `denied` and the setting to look at when Dropbox refuses. */
export async function requestToken(
  { transport, endpoint, totalMs, redact }: Omit<AccessTokensOptions, "credentials" | "onToken">,
  form: Readonly<Record<string, string>>,
  signal: AbortSignal = new AbortController().signal,
): Promise<TokenAnswer> {
  // In the body: an address may end up in a proxy's log.
  const answer = await transport.post({
    url: `${endpoint}/oauth2/token`,
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(form).toString(),
    signal,
    totalMs,
  });
  const text = await answer.text();
  const parsed = parse(text);
  if (answer.status !== 200) throw refusal(answer, parsed, redact(text));
  const accessToken = member(parsed, "access_token");
  if (typeof accessToken !== "string" || accessToken === "")
    throw new DestinationError(
      "unavailable",
      `the answer to a request for a token has none: ${beginningOf(redact(text))}`,
      { hint: "something else answers in Dropbox's place: a proxy, or a wrong DROPBOX_OAUTH2_ENDPOINT" },
    );
  const refreshToken = member(parsed, "refresh_token");
  const scope = member(parsed, "scope");
  const expiresIn = member(parsed, "expires_in");
  return {
    accessToken,
    refreshToken: typeof refreshToken === "string" ? refreshToken : undefined,
    expiresInS: typeof expiresIn === "number" && expiresIn > 0 ? expiresIn : USUAL_LIFE_S,
    scope: typeof scope === "string" ? scope : undefined,
  };
}

function refusal(answer: HttpAnswer, parsed: unknown, text: string): DestinationError {
  const { status } = answer;
  const said = member(parsed, "error");
  const error = typeof said === "string" ? said : "";
  const message = `Dropbox gave no access token: ${status} ${beginningOf(text)}`.trim();
  if (status === 429 || status >= 500 || status === 408) {
    const waitMs = retryAfterMs(answer.header("retry-after"));
    return new DestinationError("unavailable", message, waitMs === undefined ? {} : { retryAfterMs: waitMs });
  }
  if (status < 400 || status === 404)
    return new DestinationError("invalid", message, { hint: "see whether DROPBOX_OAUTH2_ENDPOINT is right" });
  return new DestinationError("denied", message, { hint: hintFor(error) });
}

function hintFor(error: string): string {
  if (error.startsWith("invalid_client") || error.startsWith("unauthorized_client"))
    return "DROPBOX_APP_KEY and DROPBOX_APP_SECRET must be those of the app in Dropbox's App Console";
  if (error.startsWith("invalid_grant"))
    return `DROPBOX_REFRESH_TOKEN is wrong, was revoked, or belongs to another app: ${LOGIN_HINT}`;
  return `look at DROPBOX_REFRESH_TOKEN, DROPBOX_APP_KEY and DROPBOX_APP_SECRET; ${LOGIN_HINT}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Not an answer of Dropbox; the caller shows its beginning.
    return undefined;
  }
}
