import type { DestinationErrorCode } from "../../contracts/destination.ts";
import { DestinationError, messageOf } from "../../lib/errors.ts";
import type { Redactor } from "../../lib/redact.ts";
import { connectionFailure, type ConnectionFailure } from "../connection-errors.ts";
import { retryAfterMs } from "../retry-after.ts";

/** What an answer of the service says, taken from whatever the SDK made of it. */
interface Refusal {
  readonly status: number;
  /** The service's own word (`x-ms-error-code`), e.g. `ContainerNotFound`; empty where the answer had none. */
  readonly word: string;
  readonly text: string;
  /** The header that the service did not like, where it names one. */
  readonly header: string | undefined;
  readonly retryAfter: string | undefined;
}

interface Meaning {
  readonly code: DestinationErrorCode;
  readonly hint?: string;
}

const CREDENTIALS =
  "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_PRIMARY_ACCOUNT_KEY (or AZURE_STORAGE_CONNECTION_STRING)";
const ROLE =
  "give the identity or the shared access signature the right to write into AZURE_STORAGE_CONTAINER_NAME (role `Storage Blob Data Contributor`)";
const TIER = "correct AZURE_STORAGE_ACCESS_TIER: this kind of account does not have that tier";
const NETWORK = "the account's firewall does not let this machine in; check AZURE_STORAGE_ACCOUNT_NAME";
const CORRUPTED = "bytes were changed on the way: look at proxies and memory between here and AZURE_STORAGE_ENDPOINT";

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ContainerNotFound: { code: "not-found", hint: "create the container, or correct AZURE_STORAGE_CONTAINER_NAME" },
  ContainerBeingDeleted: { code: "not-found", hint: "the container of AZURE_STORAGE_CONTAINER_NAME is being deleted" },
  ContainerDisabled: { code: "denied", hint: "see the container of AZURE_STORAGE_CONTAINER_NAME" },
  BlobNotFound: { code: "not-found" },
  // Only reading sets conditions.
  ConditionNotMet: { code: "not-found", hint: "the blob was replaced while it was read: try again" },
  AuthenticationFailed: {
    code: "denied",
    hint: `correct ${CREDENTIALS}; a shared access signature may have expired, or this machine's clock is off`,
  },
  InvalidAuthenticationInfo: { code: "denied", hint: `correct ${CREDENTIALS}` },
  NoAuthenticationInformation: { code: "denied", hint: `set ${CREDENTIALS}` },
  // The emulator's word for wrong keys as well.
  AuthorizationFailure: {
    code: "denied",
    hint: `correct ${CREDENTIALS}; if they are right, the account's firewall does not let this machine in`,
  },
  AuthorizationPermissionMismatch: { code: "denied", hint: ROLE },
  AuthorizationServiceMismatch: { code: "denied", hint: ROLE },
  AuthorizationResourceTypeMismatch: { code: "denied", hint: ROLE },
  AuthorizationProtocolMismatch: {
    code: "denied",
    hint: "the shared access signature wants https: see AZURE_STORAGE_ENDPOINT",
  },
  AuthorizationSourceIPMismatch: { code: "denied", hint: NETWORK },
  KeyBasedAuthenticationNotPermitted: {
    code: "denied",
    hint: "the account takes no keys: leave AZURE_STORAGE_PRIMARY_ACCOUNT_KEY empty and use a managed identity",
  },
  InsufficientAccountPermissions: { code: "denied", hint: ROLE },
  AccountIsDisabled: { code: "denied", hint: "see the account of AZURE_STORAGE_ACCOUNT_NAME" },
  AccountRequiresHttps: { code: "invalid", hint: "AZURE_STORAGE_ENDPOINT must be an https address" },
  InvalidResourceName: {
    code: "invalid",
    hint: "correct AZURE_STORAGE_CONTAINER_NAME, AZURE_STORAGE_PATH or BACKUP_FILENAME",
  },
  BlobArchived: {
    code: "invalid",
    hint: "the blob is in the tier Archive: rehydrate it first (AZURE_STORAGE_ACCESS_TIER)",
  },
  BlobBeingRehydrated: { code: "unavailable" },
  BlobImmutableDueToPolicy: {
    code: "denied",
    hint: "an immutability policy protects the blob: BACKUP_FILENAME must give new names",
  },
  LeaseIdMissing: { code: "denied", hint: "somebody holds a lease on the blob: end it, or change BACKUP_FILENAME" },
  InvalidBlobTier: { code: "invalid", hint: TIER },
  AccessTierNotSupported: { code: "invalid", hint: TIER },
  BlobTierInadequateForContentLength: { code: "invalid", hint: TIER },
  FeatureNotSupported: { code: "invalid", hint: TIER },
  RequestBodyTooLarge: {
    code: "invalid",
    hint: "the service, or a proxy before AZURE_STORAGE_ENDPOINT, takes no block this large",
  },
  InvalidBlobOrBlock: {
    code: "invalid",
    hint: "another program's unfinished upload of the same name is in the way, for a week at most: change BACKUP_FILENAME or AZURE_STORAGE_PATH",
  },
  BlockCountExceedsLimit: { code: "invalid" },
  InvalidBlockList: {
    code: "unavailable",
    hint: "something else writes the same AZURE_STORAGE_PATH and BACKUP_FILENAME",
  },
  AccountExceedsCapacity: {
    code: "full",
    hint: "keep fewer archives (BACKUP_RETENTION_DAYS, BACKUP_KEEP_*), or raise the account's limit",
  },
  Md5Mismatch: { code: "unavailable", hint: CORRUPTED },
  ServerBusy: { code: "unavailable", hint: "the service asks for fewer requests" },
  OperationTimedOut: { code: "unavailable" },
  InternalError: { code: "unavailable" },
};

const CONNECTION_HINTS: Readonly<Record<ConnectionFailure["kind"], string>> = {
  name: "correct AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ENDPOINT, and check that this container can resolve names",
  refused: "correct AZURE_STORAGE_ENDPOINT (host and port)",
  certificate: "correct AZURE_STORAGE_ENDPOINT, or add the authority to Node.js with NODE_EXTRA_CA_CERTS",
  protocol: "check whether AZURE_STORAGE_ENDPOINT is an http or an https address, and its port",
  silent: "check AZURE_STORAGE_ENDPOINT, and firewalls on the way",
  cut: "check AZURE_STORAGE_ENDPOINT, and proxies on the way",
};

const FIRST_BYTES = 200;

/** Translates whatever a call threw; what is known already passes through. */
export function toAzureError(thrown: unknown, attempt: string, redact: Redactor): DestinationError {
  if (thrown instanceof DestinationError) return thrown;
  const refusal = refusalOf(thrown);
  if (refusal !== undefined) {
    const meaning = meaningOf(refusal);
    // Redacted before it is cut: the beginning of a secret is no text to show either.
    const text = redact(refusal.text).slice(0, FIRST_BYTES);
    const said = [refusal.status, refusal.word, text].filter((part) => part !== "").join(" ");
    const wait = retryAfterMs(refusal.retryAfter);
    return new DestinationError(meaning.code, `${attempt}: the service answered ${said}`, {
      ...(meaning.hint === undefined ? {} : { hint: meaning.hint }),
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
      cause: thrown,
    });
  }
  const failure = connectionFailure(thrown);
  const text = failure?.text ?? redact(messageOf(thrown)).slice(0, FIRST_BYTES);
  const hint = failure === undefined ? "see AZURE_STORAGE_ENDPOINT" : CONNECTION_HINTS[failure.kind];
  return new DestinationError(failure?.code ?? "unavailable", `${attempt}: ${text}`, { hint, cause: thrown });
}

export function wordOf(thrown: unknown): string | undefined {
  return refusalOf(thrown)?.word;
}

export function statusOf(thrown: unknown): number | undefined {
  return refusalOf(thrown)?.status;
}

function meaningOf({ status, word, text, header }: Refusal): Meaning {
  if (word === "InvalidHeaderValue" && /tier/i.test(header ?? text)) return { code: "invalid", hint: TIER };
  return MEANINGS[word] ?? meaningOfStatus(status);
}

function meaningOfStatus(status: number): Meaning {
  if (status === 401 || status === 403) return { code: "denied", hint: `check ${CREDENTIALS}` };
  if (status === 404)
    return { code: "not-found", hint: "check AZURE_STORAGE_ENDPOINT and AZURE_STORAGE_CONTAINER_NAME" };
  if (status === 507) return { code: "full", hint: "keep fewer archives (BACKUP_RETENTION_DAYS, BACKUP_KEEP_*)" };
  if (status === 408 || status === 425 || status === 429 || status >= 500) return { code: "unavailable" };
  // A good status with a body that is not the service's: a captive portal, a web page, a broken proxy.
  if (status < 300)
    return { code: "unavailable", hint: "check that AZURE_STORAGE_ENDPOINT is the address of a blob service" };
  return { code: "invalid", hint: "check AZURE_STORAGE_ENDPOINT" };
}

function refusalOf(thrown: unknown): Refusal | undefined {
  if (!(thrown instanceof Error) || thrown.name !== "RestError") return undefined;
  const { statusCode, code, response } = thrown as Error & {
    readonly statusCode?: number;
    readonly code?: string;
    readonly response?: {
      readonly status?: number;
      readonly bodyAsText?: string | null;
      readonly headers?: { get(name: string): string | undefined };
    };
  };
  const status = statusCode ?? response?.status;
  if (status === undefined) return undefined;
  const header = (name: string): string | undefined => response?.headers?.get(name);
  const body = response?.bodyAsText ?? "";
  const word = header("x-ms-error-code") ?? (code === "PARSE_ERROR" || code === undefined ? "" : code);
  // The usual message says no more than the word; the detail tells, say, that a signature has expired.
  const message = /<AuthenticationErrorDetail>([^<\n]*)/.exec(body)?.[1] ?? /<Message>([^<\n]*)/.exec(body)?.[1];
  const named = /<HeaderName>([^<\n]*)/.exec(body)?.[1];
  const text = message ?? (word === "" && body !== "" ? quoted(body) : "");
  const milliseconds = header("retry-after-ms") ?? header("x-ms-retry-after-ms");
  const seconds = milliseconds === undefined ? undefined : String(Number(milliseconds) / 1000);
  return { status, word, text, header: named, retryAfter: seconds ?? header("retry-after") };
}

function quoted(raw: string): string {
  return `and not as the service does: "${raw.replaceAll(/\s+/g, " ").trim()}"`;
}
