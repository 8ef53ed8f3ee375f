import { fchmodSync, fchownSync, futimesSync, lchownSync, lutimesSync } from "node:fs";
import { systemCode } from "../../lib/errors.ts";
import type { ArchiveEntry } from "./entry.ts";

export type Metadata = Pick<ArchiveEntry, "mode" | "mtimeNs" | "uid" | "gid">;

/** What could not be given to a restored entry. */
export interface MetadataLoss {
  readonly owner: boolean;
  readonly specialBits: boolean;
}

const NOTHING_LOST: MetadataLoss = { owner: false, specialBits: false };
const SET_ID_BITS = 0o6000;

/**
 * Owner (as root only), mode and time of an open file or folder. Without the owner the setuid and setgid bits of a file are
 * left off: they would lend out the rights of whoever restores.
 */
export function applyMetadata(fd: number, metadata: Metadata, kind: "file" | "folder"): MetadataLoss {
  const ownerIsSet = trySetOwner(metadata, (uid, gid) => fchownSync(fd, uid, gid));
  const mustDrop = !ownerIsSet && kind === "file" && (metadata.mode & SET_ID_BITS) !== 0;
  // After the owner: changing that takes these bits away.
  fchmodSync(fd, mustDrop ? metadata.mode & ~SET_ID_BITS : metadata.mode);
  futimesSync(fd, Date.now() / 1000, utimesText(metadata.mtimeNs));
  return { owner: isRoot() && !ownerIsSet, specialBits: mustDrop };
}

/** Owner and time of what can't be opened (a link, a FIFO, a device); its last name is not followed. */
export function applyLinkMetadata(path: Buffer, metadata: Metadata): MetadataLoss {
  const ownerIsSet = trySetOwner(metadata, (uid, gid) => lchownSync(path, uid, gid));
  lutimesSync(path, Date.now() / 1000, utimesText(metadata.mtimeNs));
  return ownerIsSet || !isRoot() ? NOTHING_LOST : { owner: true, specialBits: false };
}

export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

function trySetOwner({ uid, gid }: Metadata, chown: (uid: number, gid: number) => void): boolean {
  if (!isRoot()) return false;
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

const NS_PER_SECOND = 1_000_000_000n;
const NS_PER_MICROSECOND = 1000n;

/**
 * Seconds for Node's `utimes`, which takes a floating-point number (as text, because a negative number would mean "now"). In
 * our times its steps are 238 ns, so nanoseconds can't be had; this is the nearest one within the same microsecond.
 */
export function utimesText(mtimeNs: bigint): string {
  const wanted = floorDivide(mtimeNs, NS_PER_MICROSECOND);
  const seconds = floorDivide(mtimeNs, NS_PER_SECOND);
  const fraction = Number(mtimeNs - seconds * NS_PER_SECOND) / 1e9;
  const nearest = Number(seconds) + fraction;
  for (const candidate of [nearest, neighbour(nearest, 1n), neighbour(nearest, -1n)]) {
    if (floorDivide(resultNs(candidate), NS_PER_MICROSECOND) === wanted) return String(candidate);
  }
  return String(nearest);
}

/** What the system call is given for that number. */
function resultNs(seconds: number): bigint {
  const whole = Math.floor(seconds);
  return BigInt(whole) * NS_PER_SECOND + BigInt(Math.trunc((seconds - whole) * 1e9));
}

/** The next floating-point number; `direction` 1n leads away from zero. */
function neighbour(value: number, direction: bigint): number {
  if (value === 0) return value;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + direction);
  return view.getFloat64(0);
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}
