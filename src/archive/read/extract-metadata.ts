import { lchownSync } from "node:fs";
import { systemCode } from "../../lib/errors.ts";
import type { ArchiveEntry } from "./entry.ts";
import type { Folder } from "./extract-folders.ts";
import type { RestoreCalls } from "./restore-calls.ts";

export type Metadata = Pick<ArchiveEntry, "mode" | "mtimeNs" | "uid" | "gid">;

/** What could not be given to a restored entry. */
export interface MetadataLoss {
  readonly owner: boolean;
  readonly specialBits: boolean;
}

const NOTHING_LOST: MetadataLoss = { owner: false, specialBits: false };
const SET_ID_BITS = 0o6000;
const NO_ID = 0xffffffff;

/**
 * Owner (as root only), mode and time of an open file or folder. Without the owner the setuid and setgid bits of a file are
 * left off: they would lend out the rights of whoever restores.
 */
export function applyMetadata(
  calls: RestoreCalls,
  fd: number,
  metadata: Metadata,
  kind: "file" | "folder",
): MetadataLoss {
  const ownerIsSet = trySetOwner(metadata, (uid, gid) => calls.setOwner(fd, uid, gid));
  const mustDrop = !ownerIsSet && kind === "file" && (metadata.mode & SET_ID_BITS) !== 0;
  // After the owner: changing that takes these bits away.
  calls.setMode(fd, mustDrop ? metadata.mode & ~SET_ID_BITS : metadata.mode);
  calls.setTime(fd, metadata.mtimeNs);
  return ownerIsSet ? NOTHING_LOST : { owner: isRoot(), specialBits: mustDrop };
}

/** Owner and time of what can't be opened (a link, a FIFO, a device); its last name is not followed. */
export function applyLinkMetadata(calls: RestoreCalls, folder: Folder, name: string, metadata: Metadata): MetadataLoss {
  const ownerIsSet = trySetOwner(metadata, (uid, gid) => lchownSync(folder.at(name), uid, gid));
  calls.setTimeOf(folder, name, metadata.mtimeNs);
  return ownerIsSet || !isRoot() ? NOTHING_LOST : { owner: true, specialBits: false };
}

let root: boolean | undefined;

/** Asked of the system once: it is needed for every entry. */
export function isRoot(): boolean {
  root ??= process.geteuid?.() === 0;
  return root;
}

function trySetOwner({ uid, gid }: Metadata, chown: (uid: number, gid: number) => void): boolean {
  // `chown` takes the last number for "leave it as it is".
  if (!isRoot() || Math.max(uid, gid) >= NO_ID) return false;
  try {
    chown(uid, gid);
    return true;
  } catch (cause) {
    // Root without the right to do it, in a container; an id that this user namespace, or the system, does not have.
    const code = systemCode(cause);
    if (code === "EPERM" || code === "EINVAL" || code === "ENOTSUP" || code === "ERR_OUT_OF_RANGE") return false;
    throw cause;
  }
}
