import type { DestinationErrorCode } from "../../contracts/destination.ts";
import { DestinationError, messageOf } from "../../lib/errors.ts";
import type { Redactor } from "../../lib/redact.ts";
import { connectionFailure, type ConnectionFailure } from "../connection-errors.ts";
import { retryAfterMs } from "../retry-after.ts";

/** What an answer of the store says, taken from whatever the SDK made of it. */
interface Refusal {
  readonly status: number;
  /** S3's own word, e.g. `NoSuchBucket`; empty where the answer had none. */
  readonly word: string;
  readonly text: string;
  /** The answer's body, where it is not S3's. */
  readonly raw?: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Meaning {
  readonly code: DestinationErrorCode;
  readonly hint?: string;
}

const KEYS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
const CLOCK = "the clock of this machine is off: set it (NTP)";
const REGION = "set AWS_REGION to the bucket's region";
const QUOTA = "free some space there, keep fewer archives (BACKUP_RETENTION_DAYS, BACKUP_KEEP_*), or raise the quota";
const CORRUPTED = "bytes were changed on the way: look at proxies and memory between here and AWS_ENDPOINT";

const MEANINGS: Readonly<Record<string, Meaning>> = {
  NoSuchBucket: { code: "not-found", hint: "create the bucket, or correct AWS_S3_BUCKET_NAME" },
  InvalidBucketName: { code: "invalid", hint: "correct AWS_S3_BUCKET_NAME" },
  NoSuchKey: { code: "not-found" },
  // Only reading sets conditions.
  PreconditionFailed: { code: "not-found", hint: "the object was replaced while it was read: try again" },
  NoSuchUpload: {
    code: "invalid",
    hint: "something else removed the unfinished upload: look at the bucket's lifecycle rules",
  },
  // versitygw's word for an unknown key.
  XAdminUserNotFound: { code: "denied", hint: `correct ${KEYS}` },
  AccessDenied: {
    code: "denied",
    hint: `allow this on the bucket for the key in AWS_ACCESS_KEY_ID; check AWS_S3_BUCKET_NAME and AWS_S3_PATH`,
  },
  AllAccessDisabled: { code: "denied", hint: "the bucket is locked by its provider; check AWS_S3_BUCKET_NAME" },
  AccountProblem: { code: "denied", hint: "there is a problem with the account at the provider" },
  InvalidAccessKeyId: { code: "denied", hint: `correct ${KEYS}` },
  InvalidClientTokenId: { code: "denied", hint: `correct ${KEYS}` },
  SignatureDoesNotMatch: { code: "denied", hint: `correct AWS_SECRET_ACCESS_KEY; if it is right, ${REGION}` },
  AuthorizationHeaderMalformed: { code: "denied", hint: `correct ${KEYS}; if they are right, ${REGION}` },
  InvalidToken: { code: "denied", hint: "correct AWS_SESSION_TOKEN" },
  ExpiredToken: { code: "denied", hint: "AWS_SESSION_TOKEN has expired: use a new one, or keys that don't expire" },
  TokenRefreshRequired: { code: "denied", hint: "AWS_SESSION_TOKEN has expired: use a new one" },
  RequestTimeTooSkewed: { code: "denied", hint: CLOCK },
  RequestExpired: { code: "denied", hint: CLOCK },
  PermanentRedirect: { code: "invalid", hint: REGION },
  TemporaryRedirect: { code: "unavailable", hint: REGION },
  IllegalLocationConstraintException: { code: "invalid", hint: REGION },
  InvalidRegion: { code: "invalid", hint: REGION },
  SlowDown: { code: "unavailable", hint: "the store asks for fewer requests" },
  ServiceUnavailable: { code: "unavailable" },
  InternalError: { code: "unavailable" },
  OperationAborted: { code: "unavailable" },
  RequestTimeout: { code: "unavailable" },
  IncompleteBody: { code: "unavailable" },
  BadDigest: { code: "unavailable", hint: CORRUPTED },
  InvalidDigest: { code: "invalid" },
  XAmzContentSHA256Mismatch: { code: "unavailable", hint: CORRUPTED },
  EntityTooLarge: {
    code: "invalid",
    hint: "the store takes no object this large; AWS_PART_SIZE sets the size of a part",
  },
  EntityTooSmall: { code: "invalid", hint: "the store wants larger parts: raise AWS_PART_SIZE" },
  InvalidPart: { code: "unavailable", hint: "the store has lost a part of the upload: look at the store" },
  InvalidPartNumber: { code: "invalid", hint: "the store takes fewer parts: raise AWS_PART_SIZE" },
  TooManyParts: { code: "invalid", hint: "the store takes fewer parts: raise AWS_PART_SIZE" },
  InvalidStorageClass: { code: "invalid", hint: "correct AWS_STORAGE_CLASS" },
  InvalidObjectState: {
    code: "invalid",
    hint: "the object lies in an archive storage class (AWS_STORAGE_CLASS): restore it at the provider first",
  },
  KMSDisabledException: { code: "denied", hint: "see AWS_SSE_KMS_KEY_ID" },
  "KMS.DisabledException": { code: "denied", hint: "see AWS_SSE_KMS_KEY_ID" },
  "KMS.NotFoundException": { code: "invalid", hint: "see AWS_SSE_KMS_KEY_ID" },
  InvalidEncryptionAlgorithmError: { code: "invalid", hint: "see AWS_SSE" },
  NotImplemented: {
    code: "invalid",
    hint: "the store can't do this: check AWS_STORAGE_CLASS, AWS_SSE, and that AWS_ENDPOINT speaks S3",
  },
  QuotaExceeded: { code: "full", hint: QUOTA },
  InsufficientStorage: { code: "full", hint: QUOTA },
  InsufficientCapacity: { code: "full", hint: QUOTA },
  XMinioStorageFull: { code: "full", hint: QUOTA },
  XMinioAdminBucketQuotaExceeded: { code: "full", hint: QUOTA },
  StorageQuotaExceeded: { code: "full", hint: QUOTA },
};

/** The many words for "not so fast", some of which come with a status of 400. */
const BUSY = /throttl|^(?:TooManyRequests|RequestLimitExceeded|BandwidthLimitExceeded)/i;

const CONNECTION_HINTS: Readonly<Record<ConnectionFailure["kind"], string>> = {
  name: "correct AWS_ENDPOINT, and check that this container can resolve names",
  refused: "correct AWS_ENDPOINT (host and port), and check that the store runs",
  certificate: "name the authority in AWS_ENDPOINT_CA_CERT, or correct AWS_ENDPOINT",
  protocol: "check AWS_ENDPOINT_PROTO (http or https) and the port in AWS_ENDPOINT",
  silent: "check AWS_ENDPOINT, and firewalls on the way",
  cut: "check the store at AWS_ENDPOINT, whether it wants https (AWS_ENDPOINT_PROTO), and proxies on the way",
};

const FIRST_BYTES = 200;

/** Translates whatever a call threw; what is known already and an abort's reason pass through. */
export function toS3Error(thrown: unknown, attempt: string, redact: Redactor): DestinationError {
  if (thrown instanceof DestinationError) return thrown;
  const refusal = refusalOf(thrown);
  if (refusal !== undefined) return fromRefusal(refusal, attempt, thrown, redact);
  const failure = connectionFailure(thrown);
  if (failure !== undefined) {
    const hint = CONNECTION_HINTS[failure.kind];
    return new DestinationError(failure.code, `${attempt}: ${failure.text}`, { hint, cause: thrown });
  }
  const text = redact(messageOf(thrown)).slice(0, FIRST_BYTES);
  if (thrown instanceof Error && /Credentials?Provider|Token(?:Provider)?Error/.test(thrown.name)) {
    const hint = `set ${KEYS}, or AWS_IAM_ROLE_ENDPOINT for a role`;
    return new DestinationError("denied", `${attempt}: there are no credentials (${text})`, { hint, cause: thrown });
  }
  return new DestinationError("unavailable", `${attempt}: ${text}`, { hint: "see AWS_ENDPOINT", cause: thrown });
}

/** On an answer that is a refusal: the beginning of its body, which the SDK keeps to itself. */
export interface WithRefusalText {
  refusalText?: string;
}

/** The region that an answer names, whatever form it has. */
export function regionNamedBy(thrown: unknown): string | undefined {
  const refusal = refusalOf(thrown);
  if (refusal === undefined || refusal.status >= 500) return undefined;
  const inBody =
    thrown instanceof Error && "Region" in thrown && typeof thrown.Region === "string" ? thrown.Region : undefined;
  const region =
    refusal.headers["x-amz-bucket-region"] ?? inBody ?? /expecting ['"]([\w-]+)['"]/.exec(refusal.text)?.[1];
  return region === undefined || !/^[\w-]{1,64}$/.test(region) ? undefined : region;
}

export function isRefusal(thrown: unknown, word: string): boolean {
  return refusalOf(thrown)?.word === word;
}

export function statusOf(thrown: unknown): number | undefined {
  return refusalOf(thrown)?.status;
}

function fromRefusal(refusal: Refusal, attempt: string, cause: unknown, redact: Redactor): DestinationError {
  const { status, word, headers } = refusal;
  const meaning = MEANINGS[word] ?? (BUSY.test(word) ? MEANINGS["SlowDown"] : undefined) ?? meaningOfStatus(status);
  const region = isAboutRegion(refusal) ? regionNamedBy(cause) : undefined;
  // Redacted before it is cut: the beginning of a secret is no text to show either.
  const text = refusal.raw === undefined ? redact(refusal.text).slice(0, FIRST_BYTES) : quoted(redact(refusal.raw));
  const said = [status, redact(word), text].filter((part) => part !== "").join(" ");
  const wait = retryAfterMs(headers["retry-after"]);
  const hint = region === undefined ? meaning.hint : `set AWS_REGION to ${region}`;
  return new DestinationError(meaning.code, `${attempt}: the store answered ${said}`, {
    ...(hint === undefined ? {} : { hint }),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
    cause,
  });
}

function isAboutRegion({ status, word }: Refusal): boolean {
  return word === "AuthorizationHeaderMalformed" || MEANINGS[word]?.hint === REGION || (status >= 300 && status < 400);
}

function meaningOfStatus(status: number): Meaning {
  if (status === 401 || status === 403)
    return { code: "denied", hint: `check ${KEYS}, and what this key may do in the bucket of AWS_S3_BUCKET_NAME` };
  if (status === 404)
    return { code: "not-found", hint: "check AWS_ENDPOINT, AWS_S3_BUCKET_NAME and AWS_FORCE_PATH_STYLE" };
  if (status === 413)
    return { code: "invalid", hint: "the store, or a proxy before it, takes no body this large: lower AWS_PART_SIZE" };
  if (status === 507) return { code: "full", hint: QUOTA };
  if (status === 501) return { code: "invalid", hint: "the store can't do this: check that AWS_ENDPOINT speaks S3" };
  if (status === 408 || status === 409 || status === 425 || status === 429 || status >= 500)
    return { code: "unavailable" };
  if (status >= 300 && status < 400)
    return { code: "invalid", hint: `check AWS_ENDPOINT and AWS_ENDPOINT_PROTO, and ${REGION}` };
  // A good status with a body that is not S3's: a captive portal, a web page, a broken proxy.
  if (status < 300) return { code: "unavailable", hint: "check that AWS_ENDPOINT speaks S3" };
  return { code: "invalid", hint: "check AWS_ENDPOINT, AWS_ENDPOINT_PROTO and AWS_REGION" };
}

function refusalOf(thrown: unknown): Refusal | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { $metadata, $response, $responseBodyText } = thrown as Error & {
    readonly $metadata?: { readonly httpStatusCode?: number };
    readonly $response?: { readonly headers?: Record<string, string>; readonly body?: unknown } & WithRefusalText;
    readonly $responseBodyText?: string;
  };
  const status = $metadata?.httpStatusCode;
  if (status === undefined) return undefined;
  const headers = $response?.headers ?? {};
  const raw = $responseBodyText ?? (typeof $response?.body === "string" ? $response.body : undefined);
  if (raw !== undefined || thrown.name === "SyntaxError" || thrown.message.includes("Deserialization error")) {
    return { status, word: "", text: raw ?? "", raw: raw ?? "", headers };
  }
  // What the SDK calls an answer without a body has no meaning of its own.
  const isNamed = !["Error", "UnknownError", "NotFound", "Unknown", "403", "404"].includes(thrown.name);
  const text = thrown.message === "UnknownError" || thrown.message === thrown.name ? "" : messageOf(thrown);
  // A web page, say: the SDK can read it, and finds nothing in it.
  const page = isNamed || text !== "" ? "" : ($response?.refusalText ?? "");
  return { status, word: isNamed ? thrown.name : "", text, ...(page === "" ? {} : { raw: page }), headers };
}

function quoted(raw: string): string {
  const text = raw.replaceAll(/\s+/g, " ").trim().slice(0, FIRST_BYTES);
  return text === "" ? "with an empty body" : `and not as S3 does: "${text}"`;
}
