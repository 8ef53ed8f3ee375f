import { randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { systemCode } from "../lib/errors.ts";
import { exact, readObject, text } from "./json-fields.ts";
import { isAlive, isForeign, processIdentity } from "./process.ts";
import type { ProcessIdentity } from "./process.ts";
import { readIdentity } from "./runtime-files.ts";
import { cleanText, shortCause } from "./text.ts";

/** One lock file: what it says, whether its maker lives, and how exactly one process gets it. */

/** Who holds a lock, as its file says. */
export interface LockHolder extends ProcessIdentity {
  /** Random; tells this lock from every other. */
  readonly token: string;
  readonly host: string;
  readonly job: string;
  readonly runId: string;
  /** ISO 8601, UTC. */
  readonly since: string;
}

/** `dead` carries a mark that no later file in this place has. */
export type LockLook =
  | { readonly kind: "free" }
  | { readonly kind: "held"; readonly holder: LockHolder | undefined; readonly sinceMs: number }
  | { readonly kind: "dead"; readonly holder: LockHolder | undefined; readonly sinceMs: number; readonly mark: string }
  | { readonly kind: "unusable"; readonly cause: string };

export type Attempt =
  | { readonly kind: "taken"; readonly token: string; readonly from: LockHolder | undefined }
  | { readonly kind: "busy"; readonly holder: LockHolder | undefined }
  | { readonly kind: "impossible"; readonly cause: string };

/** How often a holder touches its file, for those who share the folder but can't see the process, or read the file. */
export const TOUCH_EVERY_MS = 5_000;
/** A holder that can't be seen and did not touch its file for so long is dead. */
const SILENCE_MS = 30_000;
/** A file that names no holder may be one that is being written; after so long it is not. */
const UNNAMED_GRACE_MS = 3_000;
/** What a killed process left beside the lock is only removed at this age. */
const LITTER_AGE_MS = 60_000;
const MAX_LOCK_BYTES = 4096;
/** Takers of takers of takers: each level needs one more process killed within microseconds. */
const MAX_DEPTH = 4;
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;

/** Reads a lock file and judges its holder. Follows no symlink, waits for nothing, throws nothing. */
export function lookAt(file: string): LockLook {
  let stat: fs.BigIntStats;
  let content: string | undefined;
  try {
    stat = fs.lstatSync(file, { bigint: true });
    if (!stat.isFile()) return { kind: "unusable", cause: `${file} is not a regular file` };
    const read = readStart(file);
    if (read !== undefined) ({ stat, content } = read);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return { kind: "free" };
    return { kind: "unusable", cause: `${file}: ${shortCause(error)}` };
  }
  const holder = content === undefined ? undefined : holderIn(content);
  const ageMs = Math.abs(Date.now() - Number(stat.mtimeMs));
  const sinceMs = holder === undefined ? Number(stat.mtimeMs) : Date.parse(holder.since);
  const graceMs = content === undefined ? SILENCE_MS : UNNAMED_GRACE_MS;
  if (holder === undefined ? ageMs < graceMs || isFlocked(stat) : lives(holder, ageMs)) {
    return { kind: "held", holder, sinceMs };
  }
  // The image that is replaced leaves its file empty, a power loss leaves zeros. Anything else is somebody's own file.
  if (holder === undefined && content !== undefined && isForeignContent(content)) {
    return { kind: "unusable", cause: `${file} is there and is no lock file` };
  }
  return {
    kind: "dead",
    holder,
    sinceMs,
    mark: holder?.token ?? `${stat.dev}-${stat.ino}-${stat.mtimeNs}-${stat.size}`,
  };
}

/** Neither blank nor the beginning of what we write (a file system without hard links may keep half of it at a crash). */
function isForeignContent(content: string): boolean {
  return /[^\0\s]/.test(content) && !content.startsWith('{"pid":');
}

/**
 * A holder in another pid namespace can't be seen: it lives while it touches its file, unless it has this host's name
 * (a container keeps its name over a restart, and gets a new namespace).
 */
function lives(holder: LockHolder, ageMs: number): boolean {
  if (isForeign(holder)) return holder.host !== os.hostname() && ageMs < SILENCE_MS;
  return isAlive(holder);
}

/**
 * Tries once to make `file` ours. It appears complete or not at all (a hard link of a written file). A dead holder's
 * file is replaced by a rename, which only the owner of a claim may do: a second lock file, named after the dead one's
 * mark, taken by this same function. While the claim is held and the dead file is still in place nobody else may touch
 * it, so of any number of takers one wins, wherever the others stand or are killed.
 */
export function takeLock(file: string, about: { readonly job: string; readonly runId: string }, depth = 0): Attempt {
  // Looking first: a lock in a folder that we may not write to is still another run's.
  const first = lookAt(file);
  if (first.kind === "held") return { kind: "busy", holder: first.holder };
  if (first.kind === "unusable") return { kind: "impossible", cause: first.cause };
  const token = randomBytes(8).toString("hex");
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${token}.tmp`);
  const content = `${JSON.stringify(ownHolder(token, about))}\n`;
  try {
    fs.writeFileSync(temporary, content, { flag: "wx", mode: 0o644 });
    for (let round = 0; round < 10; round += 1) {
      if (place(temporary, file, content)) return { kind: "taken", token, from: undefined };
      const seen = lookAt(file);
      if (seen.kind === "free") continue;
      if (seen.kind === "unusable") return { kind: "impossible", cause: seen.cause };
      if (seen.kind === "held") return { kind: "busy", holder: seen.holder };
      if (depth >= MAX_DEPTH) return { kind: "busy", holder: seen.holder };
      const claim = `${file}.taking-${seen.mark}`;
      const claimed = takeLock(claim, about, depth + 1);
      if (claimed.kind === "impossible") return claimed;
      if (claimed.kind === "busy") return { kind: "busy", holder: seen.holder };
      try {
        const again = lookAt(file);
        if (again.kind !== "dead" || again.mark !== seen.mark) continue;
        fs.renameSync(temporary, file);
        return { kind: "taken", token, from: seen.holder };
      } finally {
        fs.rmSync(claim, { force: true });
      }
    }
    return { kind: "busy", holder: undefined };
  } catch (error) {
    return { kind: "impossible", cause: `${file}: ${shortCause(error)}` };
  } finally {
    unlinkQuietly(temporary);
  }
}

/** Removes a lock file if it carries this token. */
export function dropLock(file: string, token: string): void {
  const seen = lookAt(file);
  const holder = seen.kind === "held" || seen.kind === "dead" ? seen.holder : undefined;
  if (holder?.token === token) unlinkQuietly(file);
}

/** Removes what takers that were killed left beside the lock: their temporary files and claims. For the lock's holder. */
export function sweepLitter(file: string): void {
  const folder = path.dirname(file);
  const base = path.basename(file);
  let names: string[] = [];
  try {
    names = fs.readdirSync(folder);
  } catch {
    // A folder that can be written but not listed: what lies there is small and harmless.
  }
  for (const name of names) {
    const litter = path.join(folder, name);
    const isClaim = name.startsWith(`${base}.taking-`);
    if (!isClaim && !(name.startsWith(`.${base}.`) && /\.[0-9a-f]{16}\.tmp$/.test(name))) continue;
    const seen = lookAt(litter);
    if (seen.kind !== "dead" || Math.abs(Date.now() - seen.sinceMs) < LITTER_AGE_MS) continue;
    // A dead claim may be taken over by another taker at this moment: only who takes it may remove it.
    if (!isClaim || takeLock(litter, { job: "", runId: "" }, 1).kind === "taken") unlinkQuietly(litter);
  }
}

/** Shows those who can't see this process that it lives. */
export function touchLock(file: string): void {
  try {
    const now = Date.now() / 1000;
    fs.lutimesSync(file, now, now);
  } catch {
    // Removed by hand, or the folder went read-only: the run goes on without.
  }
}

/** False where the file is there already. File systems without hard links get an exclusive create. */
function place(temporary: string, file: string, content: string): boolean {
  try {
    fs.linkSync(temporary, file);
    return true;
  } catch (error) {
    const code = systemCode(error) ?? "";
    if (code === "EEXIST") return false;
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(code)) throw error;
  }
  try {
    fs.writeFileSync(file, content, { flag: "wx", mode: 0o644 });
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  }
}

function ownHolder(token: string, about: { readonly job: string; readonly runId: string }): LockHolder {
  const identity = processIdentity(process.pid) ?? { pid: process.pid, startTime: 0, bootId: "", namespace: "" };
  return {
    ...identity,
    token,
    host: cleanText(os.hostname(), 255),
    job: cleanText(about.job, 255),
    runId: cleanText(about.runId, 100),
    since: new Date().toISOString(),
  };
}

function holderIn(content: string): LockHolder | undefined {
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch {
    // Empty, or made by another program: it names no holder.
    return undefined;
  }
  return readObject(json, (fields) => ({
    ...readIdentity(fields),
    token: exact(fields, "token", (token) => /^[0-9a-f]{16}$/.test(token)),
    host: text(fields, "host", 255),
    job: text(fields, "job", 255),
    runId: text(fields, "runId", 100),
    since: exact(fields, "since", (since) => /^\d{4}-[\d:.TZ-]{1,30}$/.test(since) && !Number.isNaN(Date.parse(since))),
  }));
}

/** The first bytes and the identity of what was opened; undefined where we may not read it. */
function readStart(file: string): { stat: fs.BigIntStats; content: string } | undefined {
  let fd: number;
  try {
    fd = fs.openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) === "EACCES") return undefined;
    throw error;
  }
  try {
    const stat = fs.fstatSync(fd, { bigint: true });
    const buffer = Buffer.alloc(MAX_LOCK_BYTES);
    return { stat, content: buffer.toString("utf8", 0, fs.readSync(fd, buffer, 0, MAX_LOCK_BYTES, 0)) };
  } finally {
    fs.closeSync(fd);
  }
}

/** The image that we replace holds an empty file with flock(2). Lists only locks of processes in our pid namespace. */
function isFlocked(stat: fs.BigIntStats): boolean {
  let locks: string;
  try {
    locks = fs.readFileSync("/proc/locks", "latin1");
  } catch {
    // Not told: the file's age decides.
    return false;
  }
  // `1: FLOCK  ADVISORY  WRITE 708 08:01:22583 0 EOF`. Where the major number is 0 (overlay, btrfs, tmpfs) stat(2) may
  // tell another device than the kernel's list; the inode decides alone.
  const { dev, ino } = stat;
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xffff_f000n);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffff_ff00n);
  const device = `${major.toString(16).padStart(2, "0")}:${minor.toString(16).padStart(2, "0")}`;
  return locks.split("\n").some((line) => {
    const [, kind, , , , inode = ""] = line.trim().split(/\s+/);
    return kind === "FLOCK" && (inode === `${device}:${ino}` || (inode.startsWith("00:") && inode.endsWith(`:${ino}`)));
  });
}

function unlinkQuietly(file: string): void {
  try {
    fs.unlinkSync(file);
  } catch {
    // Missing is success; else (read-only by now) the next run takes it over.
  }
}
