import type { DestinationErrorCode } from "../contracts/destination.ts";
import { messageOf, systemCode } from "../lib/errors.ts";

/** Why no answer came from a server. */
export interface ConnectionFailure {
  readonly kind: "name" | "refused" | "certificate" | "protocol" | "silent" | "cut";
  readonly code: DestinationErrorCode;
  /** For a user, without the address: `the connection was refused`. */
  readonly text: string;
}

const CUT = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED", "ERR_STREAM_PREMATURE_CLOSE", "UND_ERR_SOCKET"]);
const UNREACHABLE = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL", "EHOSTDOWN", "ENETDOWN"]);
const SILENT = new Set(["ETIMEDOUT", "ESOCKETTIMEDOUT", "UND_ERR_CONNECT_TIMEOUT", "UND_ERR_BODY_TIMEOUT"]);

/** What the codes of OpenSSL's verification mean for a user. */
const CERTIFICATE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  CERT_NOT_YET_VALID: "the server's certificate is not valid yet (is the clock right?)",
  CERT_REVOKED: "the server's certificate was revoked",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is self-signed",
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's certificate is for another host name",
  SELF_SIGNED_CERT_IN_CHAIN: "the server's certificate comes from an unknown authority",
  UNABLE_TO_GET_ISSUER_CERT: "the server's certificate comes from an unknown authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the server's certificate comes from an unknown authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the server's certificate comes from an unknown authority",
};

/** Recognises failures of name resolution, connecting and TLS in whatever a client library made of them. */
export function connectionFailure(thrown: unknown): ConnectionFailure | undefined {
  for (const error of causesOf(thrown)) {
    const found = fromOne(error);
    if (found !== undefined) return found;
  }
  return undefined;
}

function fromOne(error: Error): ConnectionFailure | undefined {
  const code = systemCode(error) ?? "";
  const certificate = CERTIFICATE[code];
  if (certificate !== undefined)
    return { kind: "certificate", code: "invalid", text: `${certificate} (${code.toLowerCase()})` };
  if (code.startsWith("CERT_") || code.includes("_CERT_"))
    return { kind: "certificate", code: "invalid", text: `the server's certificate was refused (${code})` };
  if (code === "EPROTO" || code.startsWith("ERR_SSL_") || code === "HPE_INVALID_CONSTANT" || code.startsWith("HPE_"))
    return { kind: "protocol", code: "invalid", text: protocolText(error, code) };
  if (code === "ENOTFOUND") return { kind: "name", code: "unavailable", text: "there is no host of this name" };
  if (code === "EAI_AGAIN" || code.startsWith("EAI_"))
    return { kind: "name", code: "unavailable", text: "the host's name cannot be resolved now" };
  // As Node.js and as undici say it.
  if (code === "ERR_PROXY_TUNNEL" || error.message.startsWith("Proxy response ("))
    return { kind: "refused", code: "unavailable", text: "the proxy (HTTPS_PROXY) opens no way to the host" };
  if (UNREACHABLE.has(code))
    return {
      kind: "refused",
      code: "unavailable",
      text: code === "ECONNREFUSED" ? "the connection was refused" : `the host cannot be reached (${code})`,
    };
  // Before names: the AWS SDK calls a reset a `TimeoutError`.
  if (CUT.has(code) || /socket hang up|^aborted$/.test(error.message))
    return { kind: "cut", code: "unavailable", text: "the connection was cut" };
  if (SILENT.has(code) || error.name === "TimeoutError")
    return { kind: "silent", code: "unavailable", text: "the server did not answer in time" };
  return undefined;
}

function protocolText(error: Error, code: string): string {
  if (code.startsWith("HPE_")) return "what answers there does not speak HTTP";
  return /wrong version number|packet length/i.test(error.message)
    ? "what answers there does not speak TLS"
    : `the TLS handshake failed (${messageOf(error).slice(0, 120)})`;
}

/** The error, what caused it, and the members of an `AggregateError` (one per address that was tried). */
function causesOf(thrown: unknown): readonly Error[] {
  const found: Error[] = [];
  for (let error = thrown; error instanceof Error && found.length < 8; error = error.cause) {
    found.push(error);
    if (error instanceof AggregateError)
      found.push(...error.errors.filter((one): one is Error => one instanceof Error).slice(0, 4));
  }
  return found;
}
