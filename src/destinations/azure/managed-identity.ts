import { readFile } from "node:fs/promises";
import { DestinationError, messageOf } from "../../lib/errors.ts";
import { connectionFailure } from "../connection-errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

interface Token {
  readonly token: string;
  readonly expiresOnTimestamp: number;
}

/** As much of the SDK's `TokenCredential` as it uses. */
export interface TokenSource {
  getToken(scopes: string | string[], options?: { readonly abortSignal?: unknown }): Promise<Token>;
}

const RESOURCE = "https://storage.azure.com/";
const MACHINE_SERVICE = "http://169.254.169.254";
const CALL_MS = 10_000;
const HINT =
  "set AZURE_STORAGE_PRIMARY_ACCOUNT_KEY or AZURE_STORAGE_CONNECTION_STRING, or give this machine a managed identity";

/**
 * Tokens of the identity that the platform gives: the workload identity of a Kubernetes pod (a token file), that of App
 * Service and Container Apps (`IDENTITY_ENDPOINT`), else that of the machine. These variables are the platform's, so they
 * are read from the process's environment. The SDK asks again before a token expires.
 */
export function managedIdentity(environment: Environment = process.env): TokenSource {
  return {
    async getToken(_scopes, options) {
      const signals = [AbortSignal.timeout(CALL_MS)];
      if (options?.abortSignal instanceof AbortSignal) signals.push(options.abortSignal);
      return await requestToken(environment, AbortSignal.any(signals));
    },
  };
}

async function requestToken(environment: Environment, signal: AbortSignal): Promise<Token> {
  const { AZURE_FEDERATED_TOKEN_FILE, IDENTITY_ENDPOINT } = environment;
  try {
    if (isGiven(AZURE_FEDERATED_TOKEN_FILE)) return await ofWorkload(AZURE_FEDERATED_TOKEN_FILE, environment, signal);
    if (isGiven(IDENTITY_ENDPOINT)) return await ofAppService(IDENTITY_ENDPOINT, environment, signal);
    return await ofMachine(environment, signal);
  } catch (error) {
    if (error instanceof DestinationError) throw error;
    const why = connectionFailure(error)?.text ?? messageOf(error);
    throw new DestinationError("unavailable", `cannot get a token of the managed identity: ${why}`, {
      hint: HINT,
      cause: error,
    });
  }
}

async function ofWorkload(tokenFile: string, environment: Environment, signal: AbortSignal): Promise<Token> {
  const { AZURE_TENANT_ID = "", AZURE_CLIENT_ID = "", AZURE_AUTHORITY_HOST } = environment;
  const authority = (AZURE_AUTHORITY_HOST ?? "https://login.microsoftonline.com").replace(/\/+$/, "");
  const body = new URLSearchParams({
    grant_type: "client_credentials",
    scope: `${RESOURCE}.default`,
    client_id: AZURE_CLIENT_ID,
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: (await readFile(tokenFile, "utf8")).trim(),
  });
  const address = `${authority}/${encodeURIComponent(AZURE_TENANT_ID)}/oauth2/v2.0/token`;
  return await ask(new URL(address), { method: "POST", body, signal });
}

async function ofAppService(endpoint: string, environment: Environment, signal: AbortSignal): Promise<Token> {
  const address = withQuery(endpoint, "2019-08-01", environment);
  return await ask(address, { headers: { "x-identity-header": environment["IDENTITY_HEADER"] ?? "" }, signal });
}

async function ofMachine(environment: Environment, signal: AbortSignal): Promise<Token> {
  const host = environment["AZURE_POD_IDENTITY_AUTHORITY_HOST"] ?? MACHINE_SERVICE;
  const address = withQuery(`${host.replace(/\/+$/, "")}/metadata/identity/oauth2/token`, "2018-02-01", environment);
  return await ask(address, { headers: { metadata: "true" }, signal });
}

function withQuery(endpoint: string, version: string, { AZURE_CLIENT_ID }: Environment): URL {
  const address = new URL(endpoint);
  address.searchParams.set("api-version", version);
  address.searchParams.set("resource", RESOURCE);
  if (isGiven(AZURE_CLIENT_ID)) address.searchParams.set("client_id", AZURE_CLIENT_ID);
  return address;
}

async function ask(address: URL, request: RequestInit): Promise<Token> {
  const answer = await fetch(address, request);
  const text = await answer.text();
  if (!answer.ok) {
    const code = answer.status >= 500 || answer.status === 429 ? "unavailable" : "denied";
    throw new DestinationError(
      code,
      `cannot get a token of the managed identity: ${address.host} answered ${answer.status}`,
      { hint: HINT },
    );
  }
  const { access_token, expires_on, expires_in } = fieldsOf(text, address);
  if (typeof access_token !== "string" || access_token === "") {
    throw new DestinationError("denied", `the answer of ${address.host} holds no token`, { hint: HINT });
  }
  // `expires_on` is seconds since the epoch at the platform's services; logins give `expires_in` only.
  const expiresOn = Number(expires_on);
  const seconds = Number(expires_in);
  const inMs = Number.isFinite(seconds) ? seconds * 1000 : 300_000;
  return { token: access_token, expiresOnTimestamp: Number.isFinite(expiresOn) ? expiresOn * 1000 : Date.now() + inMs };
}

/** A parser's own message would quote the answer, and with it the token. */
function fieldsOf(text: string, { host }: URL): Readonly<Record<string, string | number | undefined>> {
  try {
    return (JSON.parse(text) ?? {}) as ReturnType<typeof fieldsOf>;
  } catch {
    throw new DestinationError(
      "unavailable",
      `cannot get a token of the managed identity: the answer of ${host} is no JSON`,
      { hint: HINT },
    );
  }
}

function isGiven(value: string | undefined): value is string {
  return value !== undefined && value !== "";
}
