import type { DestinationErrorCode } from "../../contracts/destination.ts";
import { DestinationError, messageOf, systemCode } from "../../lib/errors.ts";

/** What a server's refusal means, and what to do about it. */
interface Meaning {
  readonly code: DestinationErrorCode;
  readonly hint?: string;
}

export const FULL_HINT =
  "free some space on the server or raise its quota, or keep fewer archives (BACKUP_RETENTION_DAYS, BACKUP_KEEP_*)";

const MEANINGS: Readonly<Record<number, Meaning>> = {
  400: { code: "invalid", hint: "check WEBDAV_URL and WEBDAV_PATH" },
  401: { code: "denied" },
  402: { code: "denied" },
  403: {
    code: "denied",
    hint: "the user must be allowed to write below WEBDAV_PATH, also files whose names begin with a dot",
  },
  404: { code: "not-found", hint: "check WEBDAV_URL and WEBDAV_PATH" },
  405: { code: "invalid", hint: "is WEBDAV_URL the address of WebDAV itself, with its whole path?" },
  407: { code: "denied", hint: "a proxy in between asks for a login; proxies are not supported" },
  409: { code: "not-found", hint: "a folder above is missing or can't be made: check WEBDAV_URL and WEBDAV_PATH" },
  411: { code: "invalid", hint: "the server takes no body of unknown length: set BACKUP_STAGING=disk" },
  413: {
    code: "invalid",
    hint: "the server limits how large a file may be: raise LimitRequestBody (Apache), client_max_body_size (nginx) or upload_max_filesize (PHP)",
  },
  414: { code: "invalid", hint: "shorten BACKUP_FILENAME" },
  415: { code: "invalid" },
  423: { code: "unavailable", hint: "another program has locked the file or folder" },
  501: { code: "invalid", hint: "is WEBDAV_URL the address of WebDAV itself, with its whole path?" },
  507: { code: "full", hint: FULL_HINT },
};

export function meaningOf(status: number): Meaning {
  const known = MEANINGS[status];
  if (known !== undefined) return known;
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return { code: "unavailable", hint: "look at the server's load and log" };
  }
  return { code: "invalid", hint: "check WEBDAV_URL" };
}

/** Seconds or a date; milliseconds from now. */
export function retryAfterMs(header: string | undefined, now: number = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

const CERTIFICATE = "name the authority in WEBDAV_CA_CERT, or switch the check off with WEBDAV_URL_INSECURE=true";
const NETWORK: Readonly<Record<string, readonly [code: DestinationErrorCode, text: string, hint: string]>> = {
  ENOTFOUND: ["unavailable", "the host name is not known", "check WEBDAV_URL, and the DNS of this machine"],
  EAI_AGAIN: ["unavailable", "the host name could not be looked up", "check WEBDAV_URL, and the DNS of this machine"],
  ECONNREFUSED: ["unavailable", "the connection was refused", "check WEBDAV_URL, and that the server runs"],
  EHOSTUNREACH: ["unavailable", "the host can't be reached", "check WEBDAV_URL, the network and firewalls in between"],
  ENETUNREACH: ["unavailable", "the network can't be reached", "check the network of this container"],
  ETIMEDOUT: ["unavailable", "nothing answered", "check WEBDAV_URL, and firewalls in between"],
  ECONNRESET: ["unavailable", "the connection was cut", "look into the log of the server, and of what is in between"],
  EPIPE: ["unavailable", "the connection was cut", "look into the log of the server, and of what is in between"],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ["invalid", "its certificate is of an unknown authority", CERTIFICATE],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ["invalid", "its certificate is of an unknown authority", CERTIFICATE],
  UNABLE_TO_GET_ISSUER_CERT: ["invalid", "its certificate is of an unknown authority", CERTIFICATE],
  SELF_SIGNED_CERT_IN_CHAIN: ["invalid", "its certificate is of an unknown authority", CERTIFICATE],
  DEPTH_ZERO_SELF_SIGNED_CERT: ["invalid", "its certificate is self-signed", CERTIFICATE],
  CERT_HAS_EXPIRED: ["invalid", "its certificate has expired", "renew the server's certificate"],
  CERT_NOT_YET_VALID: ["invalid", "its certificate is not valid yet", "check the clock of this machine"],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    "invalid",
    "its certificate is for another name",
    "use the name that the certificate is for in WEBDAV_URL",
  ],
};

/** Translates what kept a request from being answered; anything known, and what the source threw, passes through. */
export function toWebdavError(thrown: unknown, attempt: string): unknown {
  if (thrown instanceof DestinationError) return thrown;
  const system = systemCode(thrown);
  if (system === undefined) return thrown;
  const [code, text, hint] = NETWORK[system] ?? ["unavailable" as const, messageOf(thrown), undefined];
  if (/^(ERR_SSL|EPROTO)/.test(system)) {
    return new DestinationError("invalid", `${attempt}: TLS failed: ${shortTls(messageOf(thrown))}`, {
      hint: "does the server speak TLS at this port? Else begin WEBDAV_URL with http://",
      cause: thrown,
    });
  }
  return new DestinationError(code, `${attempt}: ${text}`, { ...(hint === undefined ? {} : { hint }), cause: thrown });
}

/** `40B7…:error:0A00010B:SSL routines:…:wrong version number:../deps/…` -> `wrong version number` */
function shortTls(text: string): string {
  return /SSL routines:[^:]*:([^:]+):/.exec(text)?.[1] ?? text.slice(0, 200);
}
