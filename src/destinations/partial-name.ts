import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import type { JobTag } from "../contracts/destination.ts";
import { systemCode } from "../lib/errors.ts";
import { LONGEST_NAME_BYTES, PARTIAL_SUFFIX } from "./names.ts";

/*
 * An unfinished file is called
 *   .<name>.lb1-<owner>-<place>-<pid>-<start>-<random>.partial
 * The name alone says whose it is (owner: host and job), and whether its writer still lives (place: boot and PID
 * namespace; pid and start time within it), so that nothing has to be written beside it. A name too long for this is
 * replaced by a hash of it.
 */

export type Owner = Omit<JobTag, "runId">;

export interface PartialMark {
  /** The finished name, or its hash where that would be too long. */
  readonly stem: string;
  readonly owner: string;
  readonly place: string;
  readonly pid: number;
  readonly start: string;
}

const MARKED = /^\.([^/]+)\.lb1-([0-9a-f]{10})-([0-9a-f]{8})-([0-9]{1,10})-([0-9]{1,20})-[0-9a-f]{6}\.partial$/s;
const UNKNOWN_PLACE = "00000000";

export function partialName(name: string, owner: Owner): string {
  const mark = `lb1-${ownerHash(owner)}-${ownPlace()}-${process.pid}-${startOf(process.pid) ?? "0"}-${randomBytes(3).toString("hex")}`;
  const readable = `.${name}.${mark}${PARTIAL_SUFFIX}`;
  return Buffer.byteLength(readable) <= LONGEST_NAME_BYTES ? readable : `.${hash(name, 32)}.${mark}${PARTIAL_SUFFIX}`;
}

/** Undefined for every name that is not surely one of Lifeboat's unfinished files. */
export function parsePartialName(component: string): PartialMark | undefined {
  const match = MARKED.exec(component);
  if (match === null) return undefined;
  const [, stem = "", owner = "", place = "", pid = "", start = ""] = match;
  return { stem, owner, place, pid: Number(pid), start };
}

export function ownerHash(owner: Owner): string {
  return hash(`${owner.host}\0${owner.job}`, 10);
}

/** `unknown` where the writer ran on another machine, in another container, or before a restart. */
export function writerState(mark: PartialMark): "alive" | "dead" | "unknown" {
  if (mark.place !== ownPlace() || mark.place === UNKNOWN_PLACE) return "unknown";
  const start = startOf(mark.pid);
  if (start !== undefined) return start === mark.start ? "alive" : "dead";
  // `/proc` may hide other users' processes; a signal of 0 still tells that one is there.
  try {
    process.kill(mark.pid, 0);
    return isZombie(mark.pid) ? "dead" : "alive";
  } catch (error) {
    return systemCode(error) === "EPERM" ? "alive" : "dead";
  }
}

/** Boot and PID namespace: within one of these a process id means something. */
function ownPlace(): string {
  try {
    return hash(
      `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}\0${readlinkSync("/proc/self/ns/pid")}`,
      8,
    );
  } catch {
    // Not Linux, or a hidden /proc: leftovers are then judged by whether they still change.
    return UNKNOWN_PLACE;
  }
}

/** Start time of a running process in clock ticks since boot (proc_pid_stat(5), field 22); undefined if there is none. */
function startOf(pid: number): string | undefined {
  const fields = statFields(pid);
  return fields === undefined || fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

function isZombie(pid: number): boolean {
  const state = statFields(pid)?.[0];
  return state === "Z" || state === "X";
}

/** From field 3 (state) on; the command in field 2 may itself hold blanks and parentheses. */
function statFields(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text
      .slice(text.lastIndexOf(")") + 2)
      .trim()
      .split(" ");
  } catch {
    // No such process, or none that we may see.
    return undefined;
  }
}

function hash(text: string, hexDigits: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, hexDigits);
}
