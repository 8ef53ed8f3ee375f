import type { DestinationErrorCode } from "../../contracts/destination.ts";
import { DestinationError, messageOf, systemCode } from "../../lib/errors.ts";

/** Status codes of the SFTP protocol; those above 8 are of later drafts, which some servers send all the same. */
export const SFTP_STATUS = {
  endOfFile: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  unsupported: 8,
  alreadyExists: 11,
  writeProtect: 12,
  noSpace: 14,
  quotaExceeded: 15,
} as const;

const CODES: ReadonlyMap<number, DestinationErrorCode> = new Map<number, DestinationErrorCode>([
  [SFTP_STATUS.noSuchFile, "not-found"],
  [SFTP_STATUS.permissionDenied, "denied"],
  [SFTP_STATUS.badMessage, "invalid"],
  [SFTP_STATUS.unsupported, "invalid"],
  [SFTP_STATUS.alreadyExists, "invalid"],
  [SFTP_STATUS.writeProtect, "denied"],
  [SFTP_STATUS.noSpace, "full"],
  [SFTP_STATUS.quotaExceeded, "full"],
]);

export const FULL_HINT =
  "free some space on the server or raise its quota, or keep fewer archives (BACKUP_RETENTION_DAYS, BACKUP_KEEP_*)";

const HINTS: Readonly<Partial<Record<DestinationErrorCode, string>>> = {
  "not-found": "check SSH_REMOTE_PATH",
  denied: "SSH_USER must be allowed to write below SSH_REMOTE_PATH on the server",
  full: FULL_HINT,
};

/** For statuses whose meaning the library does not know: it says "Unknown status". */
const NAMES: ReadonlyMap<number, string> = new Map<number, string>([
  [SFTP_STATUS.alreadyExists, "File already exists"],
  [SFTP_STATUS.writeProtect, "Write protected"],
  [SFTP_STATUS.noSpace, "No space left"],
  [SFTP_STATUS.quotaExceeded, "Quota exceeded"],
]);

export const FAILURE_HINT =
  '"failure" is all that many servers say: look at the rights, the disk and the quota there, and at its log';

/** The number of an SFTP status, if that is what was thrown. */
export function statusOf(thrown: unknown): number | undefined {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "number" ? thrown.code : undefined;
}

export function isMissing(thrown: unknown): boolean {
  return statusOf(thrown) === SFTP_STATUS.noSuchFile;
}

/** Translates what a server answered to `attempt` (e.g. `cannot store x.tar in ssh:…`); anything known passes through. */
export function toSshError(thrown: unknown, attempt: string): unknown {
  const status = statusOf(thrown);
  if (thrown instanceof DestinationError || status === undefined) return thrown;
  const said = messageOf(thrown);
  const text = /^unknown status$/i.test(said) ? (NAMES.get(status) ?? said) : said;
  // Servers that say only "failure" may still name the reason in words.
  const code = /no space|disk full|quota/i.test(text) ? "full" : (CODES.get(status) ?? "unavailable");
  const hint = HINTS[code] ?? (status === SFTP_STATUS.failure ? FAILURE_HINT : undefined);
  return new DestinationError(code, `${attempt}: the server answered "${text}" (SFTP status ${status})`, {
    ...(hint === undefined ? {} : { hint }),
    cause: thrown,
  });
}

export async function translated<T>(attempt: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw toSshError(error, attempt);
  }
}

const NETWORK: Readonly<Record<string, readonly [text: string, hint: string]>> = {
  ENOTFOUND: ["the host name is not known", "check SSH_HOST_NAME, and the DNS of this machine"],
  EAI_AGAIN: ["the host name could not be looked up", "check SSH_HOST_NAME, and the DNS of this machine"],
  ECONNREFUSED: ["the connection was refused", "check SSH_HOST_NAME and SSH_PORT, and that the SSH server runs"],
  EHOSTUNREACH: ["the host can't be reached", "check SSH_HOST_NAME, the network and firewalls in between"],
  ENETUNREACH: ["the network can't be reached", "check the network of this container"],
  ETIMEDOUT: ["nothing answered", "check SSH_HOST_NAME and SSH_PORT, and firewalls in between"],
  ECONNRESET: ["the server closed the connection", "look into the log of the SSH server"],
  EPIPE: ["the server closed the connection", "look into the log of the SSH server"],
};

const NOT_SSH = /invalid identification|before handshake|packet length|protocol version|bad packet|malformed|mac/i;

/** Translates why SFTP did not begin over a connection that was logged in already. */
export function toSftpStartError(thrown: unknown, attempt: string): DestinationError {
  if (thrown instanceof DestinationError || NETWORK[systemCode(thrown) ?? ""] !== undefined)
    return toConnectionError(thrown, attempt);
  const text = messageOf(thrown).replace(/^sftp: /, "");
  if (/unable to start subsystem/i.test(text)) {
    return new DestinationError("invalid", `${attempt}: it let us in, but offers no SFTP`, {
      hint: "switch SFTP on there, for SSH_USER too (OpenSSH: `Subsystem sftp internal-sftp` in sshd_config)",
      cause: thrown,
    });
  }
  if (/exit code|packet length|expected version|malformed/i.test(text)) {
    return new DestinationError("invalid", `${attempt}: it let us in, but what answers there is no SFTP (${text})`, {
      hint: "the shell of SSH_USER must not print anything when it starts (.bashrc, .profile) and must be one that may log in; `ForceCommand internal-sftp` in sshd_config needs no shell",
      cause: thrown,
    });
  }
  return new DestinationError("unavailable", `${attempt}: it let us in, but SFTP did not begin: ${text}`, {
    hint: "look into the log of the SSH server",
    cause: thrown,
  });
}

/** Translates what ended a connection or kept it from coming about. */
export function toConnectionError(thrown: unknown, attempt: string): DestinationError {
  if (thrown instanceof DestinationError) return thrown;
  const [known, hint] = NETWORK[systemCode(thrown) ?? ""] ?? [];
  if (known !== undefined && hint !== undefined)
    return new DestinationError("unavailable", `${attempt}: ${known}`, { hint, cause: thrown });
  const text = messageOf(thrown).replace(/^getConnection: /, "");
  if (/no matching/i.test(text)) {
    return new DestinationError("invalid", `${attempt}: ${text}`, {
      hint: "the server offers only methods that Lifeboat does not know or that are not safe any more: update it",
      cause: thrown,
    });
  }
  return new DestinationError("unavailable", `${attempt}: ${text === "" ? "the connection was lost" : text}`, {
    ...(NOT_SSH.test(text) ? { hint: "is it an SSH server that answers at SSH_HOST_NAME and SSH_PORT?" } : {}),
    cause: thrown,
  });
}
