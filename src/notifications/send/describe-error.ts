import { messageOf, systemCode } from "../../lib/errors.ts";

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was cut",
  EPIPE: "the connection was cut",
  ENOTFOUND: "the host name is not known",
  EAI_AGAIN: "the host name could not be resolved",
  ETIMEDOUT: "the connection timed out",
  EHOSTUNREACH: "the host can't be reached",
  ENETUNREACH: "the network can't be reached",
  UND_ERR_CONNECT_TIMEOUT: "the connection timed out",
  UND_ERR_SOCKET: "the connection was cut",
  UND_ERR_HEADERS_TIMEOUT: "no answer came in time",
  UND_ERR_BODY_TIMEOUT: "the answer broke off",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not trusted (self-signed)",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is not trusted (self-signed)",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not trusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is not trusted",
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS on this port",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "it does not speak TLS on this port",
};

/** Codes of failures that stay the same however often it is tried. */
const LASTING = /CERT|ALTNAME|LEAF_SIGNATURE|ERR_SSL|ERR_INVALID|UND_ERR_INVALID_ARG|UND_ERR_REQ_CONTENT/;

/** What a failed connection means, in words, and whether another try could help. */
export function describeFailure(thrown: unknown): { readonly problem: string; readonly canRetry: boolean } {
  const error = innermost(thrown);
  const code = systemCode(error) ?? "";
  const words = Object.hasOwn(WORDS, code) ? WORDS[code] : undefined;
  if (words !== undefined) return { problem: words, canRetry: !LASTING.test(code) };
  return { problem: messageOf(error) || code || "the connection failed", canRetry: code !== "" && !LASTING.test(code) };
}

/** Several addresses of a host fail as one `AggregateError` without a message of its own. */
function innermost(thrown: unknown): unknown {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return innermost(thrown.errors[0]);
  if (thrown instanceof Error && thrown.cause instanceof Error && systemCode(thrown) === undefined)
    return innermost(thrown.cause);
  return thrown;
}
