import type { DestinationErrorCode } from "../../contracts/destination.ts";
import { DestinationError, messageOf, systemCode } from "../../lib/errors.ts";

const CODES: Readonly<Record<string, DestinationErrorCode>> = {
  ENOSPC: "full",
  EDQUOT: "full",
  EACCES: "denied",
  EPERM: "denied",
  EROFS: "denied",
  ENOENT: "not-found",
  ENOTDIR: "invalid",
  EISDIR: "invalid",
  ELOOP: "invalid",
  EINVAL: "invalid",
  EILSEQ: "invalid",
  ENAMETOOLONG: "invalid",
  EFBIG: "invalid",
  EEXIST: "invalid",
};

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: "free some space there, keep fewer archives (BACKUP_RETENTION_DAYS, BACKUP_KEEP_*), or use a larger volume",
  EDQUOT: "the quota of this user or folder is used up: raise it, or keep fewer archives",
  EACCES: "make the folder writable for the user that Lifeboat runs as",
  EPERM: "make the folder writable for the user that Lifeboat runs as",
  EROFS: "mount the volume without `:ro`",
  ENOENT: "mount a volume at the archive folder, or correct BACKUP_ARCHIVE",
  ENOTDIR: "BACKUP_ARCHIVE must name a folder",
  ELOOP: "a symbolic link stands where Lifeboat keeps its own files; remove it",
  ENAMETOOLONG: "shorten BACKUP_FILENAME",
  EILSEQ: "the file system does not accept this name: use plain characters in BACKUP_FILENAME",
  EFBIG: "the file system cannot hold a file of this size: use another one",
  EIO: "the disk or network share reported an input/output error: check it",
  ESTALE: "the network share went away and came back: mount it again",
  EMFILE: "too many open files: raise the limit (ulimit -n)",
};

/** Translates a system error of `attempt` (e.g. `cannot store x.tar.gz in /archive`); anything known already passes through. */
export function toLocalError(thrown: unknown, attempt: string): DestinationError {
  if (thrown instanceof DestinationError) return thrown;
  const system = systemCode(thrown);
  // What no table knows (EIO, ESTALE, EBUSY, EMFILE, …) may go away by itself.
  const code = (system === undefined ? undefined : CODES[system]) ?? "unavailable";
  const hint = system === undefined ? undefined : HINTS[system];
  return new DestinationError(code, `${attempt}: ${plainCause(thrown)}`, {
    ...(hint === undefined ? {} : { hint }),
    cause: thrown,
  });
}

/** `ENOSPC: no space left on device, write` -> `no space left on device`: the call and its path say nothing to users. */
function plainCause(thrown: unknown): string {
  const text = messageOf(thrown);
  const match = /^E[A-Z0-9]+: ([^,]+)(?:, |$)/.exec(text);
  return match?.[1] ?? text;
}
