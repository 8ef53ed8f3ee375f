import type { NoticeKind } from "../../contracts/archive.ts";
import { messageOf, systemCode } from "../../lib/errors.ts";

/** What a dead or very slow server (NFS, CIFS, FUSE) gives after a while, and a file that another program has leased. */
const NO_ANSWER: ReadonlySet<string | undefined> = new Set([
  "EAGAIN",
  "ECONNABORTED",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTCONN",
  "ETIMEDOUT",
]);

/** The notice for content that could not be read. */
export function kindOf(error: unknown): NoticeKind {
  return NO_ANSWER.has(systemCode(error)) ? "blocked" : "unreadable";
}

export function isSystemError(error: unknown): error is Error {
  return error instanceof Error && "syscall" in error;
}

/** `EACCES: permission denied` without the system call and its path, which means nothing to a reader. */
export function causeOf(error: unknown): string {
  const message = messageOf(error);
  return /^E[A-Z0-9]+: [^,]*/.exec(message)?.[0] ?? message;
}
