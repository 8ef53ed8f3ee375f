import fs from "node:fs";

/**
 * A process that can be told from a later one of the same pid. `startTime` is field 22 of `/proc/<pid>/stat` (ticks
 * since boot), `bootId` is `/proc/sys/kernel/random/boot_id`, `namespace` the pid namespace it was seen in. Each is
 * empty (`startTime`: 0) where the system does not tell.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: number;
  readonly bootId: string;
  readonly namespace: string;
}

/** The identity of a running process that this one can see; undefined when there is none, or only a zombie. */
export function processIdentity(pid: number): ProcessIdentity | undefined {
  if (!isPid(pid)) return undefined;
  const seen = look(pid);
  if (seen === "gone") return undefined;
  return { pid, startTime: seen === "hidden" ? 0 : seen.startTime, bootId: bootId(), namespace: pidNamespace() };
}

/**
 * Whether that very process still runs. A zombie, a reused pid, another boot and another pid namespace count as dead:
 * a process of another container cannot be seen from here, see {@link isForeign}.
 */
export function isAlive(identity: ProcessIdentity): boolean {
  if (!isPid(identity.pid) || identity.bootId !== bootId() || isForeign(identity)) return false;
  const seen = look(identity.pid);
  if (seen === "gone") return false;
  return seen === "hidden" || identity.startTime === 0 || seen.startTime === identity.startTime;
}

/** True where the process lives (or lived) in another pid namespace of this boot: whether it runs cannot be told. */
export function isForeign(identity: ProcessIdentity): boolean {
  if (identity.bootId !== bootId() || identity.namespace === "") return false;
  const own = pidNamespace();
  return own !== "" && identity.namespace !== own;
}

function isPid(pid: number): boolean {
  return Number.isSafeInteger(pid) && pid > 0 && pid <= 0x7fff_ffff;
}

/** `hidden`: it runs, but nothing more is told (no `/proc`, or one mounted with `hidepid`). */
function look(pid: number): { startTime: number } | "gone" | "hidden" {
  const stat = readSmall(`/proc/${pid}/stat`);
  if (stat === undefined) return signalReaches(pid) ? "hidden" : "gone";
  // The name in parentheses may hold spaces and parentheses itself: fields are counted behind the last one.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const state = fields[0];
  if (state === "Z" || state === "X" || state === "x") return "gone";
  const startTime = Number(fields[19]);
  return Number.isSafeInteger(startTime) ? { startTime } : "hidden";
}

function signalReaches(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function bootId(): string {
  return readSmall("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
}

function pidNamespace(): string {
  try {
    return fs.readlinkSync("/proc/self/ns/pid");
  } catch {
    // Not Linux, or no /proc: every process is then taken to be of one namespace.
    return "";
  }
}

function readSmall(path: string): string | undefined {
  try {
    return fs.readFileSync(path, "latin1");
  } catch {
    // ENOENT and ESRCH: the process is gone; EACCES: hidden. The caller looks another way.
    return undefined;
  }
}
