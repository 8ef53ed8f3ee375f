import { DestinationError, UserError } from "../../lib/errors.ts";
import { createRedactor } from "../../lib/redact.ts";
import { requestToken } from "./access-tokens.ts";
import { attempted, translated } from "./failures.ts";
import { DEFAULT_LIMITS } from "./options.ts";
import { createTransport } from "./transport.ts";

/** What Lifeboat needs to store, list, read and remove archives. */
export const NEEDED_SCOPES = ["files.content.write", "files.content.read", "files.metadata.read"] as const;

const ONE_CODE = "a code is good once, for a few minutes, and for this app only: open the address again for a new one";

const AUTHORISE = "https://www.dropbox.com/oauth2/authorize";

/** The page on which a user allows the app. `offline` is what makes Dropbox give a token that lasts. */
export function authorisationUrl(appKey: string, testEndpoint: string | undefined): string {
  const page = testEndpoint === undefined ? AUTHORISE : `${testEndpoint}/oauth2/authorize`;
  return `${page}?${new URLSearchParams({ client_id: appKey, response_type: "code", token_access_type: "offline" }).toString()}`;
}

export interface Login {
  readonly appKey: string;
  readonly appSecret: string;
  readonly code: string;
  /** Without a slash at the end. */
  readonly tokenEndpoint: string;
  readonly signal: AbortSignal;
}

/** Gives the code back for the lasting token. `missingScopes`: what the app may not do yet. */
export async function exchangeCode(
  login: Login,
): Promise<{ readonly refreshToken: string; readonly missingScopes: readonly string[] }> {
  const { appKey, appSecret, code, signal } = login;
  const transport = createTransport(DEFAULT_LIMITS);
  const redact = createRedactor([appSecret, code]);
  const form = { grant_type: "authorization_code", code, client_id: appKey, client_secret: appSecret };
  try {
    const answer = await requestToken(
      { transport, endpoint: login.tokenEndpoint, totalMs: DEFAULT_LIMITS.smallCallMs, redact },
      form,
      signal,
    );
    if (answer.refreshToken === undefined)
      throw new UserError("Dropbox gave no refresh token", { hint: "open the address exactly as it was printed" });
    const given = answer.scope?.split(" ");
    return {
      refreshToken: answer.refreshToken,
      missingScopes: given === undefined ? [] : NEEDED_SCOPES.filter((scope) => !given.includes(scope)),
    };
  } catch (error) {
    if (error instanceof UserError && !(error instanceof DestinationError)) throw error;
    const failure = attempted(translated(error, signal), "the code could not be exchanged");
    if (!(failure instanceof DestinationError) || !failure.message.includes("invalid_grant")) throw failure;
    throw new UserError(failure.message, { hint: ONE_CODE, cause: failure });
  } finally {
    await transport.close();
  }
}
