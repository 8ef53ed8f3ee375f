import { createHash } from "node:crypto";

const LONGEST_FOLDER = 120;
const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** `.lifeboat/<archive>.index`, as a name in the area `record`. */
export function indexNameOf(archive: string): string {
  return `${archive}.index`;
}

/** `<job>/<runId>.json`, as a name in the area `record`. Throws for a run id that is none. */
export function recordNameOf(job: string, runId: string): string {
  if (!RUN_ID.test(runId) || runId.includes(".."))
    throw new Error("a run id has only letters, digits, dots and dashes");
  return `${recordFolderOf(job)}/${runId}.json`;
}

/** The parts of a record's name; undefined for an index or anything else. */
export function parseRecordName(name: string): { readonly folder: string; readonly runId: string } | undefined {
  const slash = name.indexOf("/");
  if (slash <= 0 || !name.endsWith(".json")) return undefined;
  const runId = name.slice(slash + 1, -".json".length);
  return RUN_ID.test(runId) ? { folder: name.slice(0, slash), runId } : undefined;
}

/** When the run of this id began (`20261122T213000Z-…`), milliseconds since the epoch. */
export function runIdTime(runId: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-/.exec(runId);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match.map(Number);
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
}

/**
 * A job's name as one path element that every store accepts: other bytes than letters, digits, `.`, `_` and `-` become
 * `%XX`, as do dots where they would hide the folder, lead upwards, or make it look like an index. A very long one ends
 * in a hash.
 */
export function recordFolderOf(job: string): string {
  const escaped = [...Buffer.from(job)]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return /[A-Za-z0-9._-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("")
    .replace(/^\./, "%2E")
    .replace(/\.$/, "%2E")
    .replaceAll(/\.(?=\.|index$|partial$)/g, "%2E");
  if (escaped === "") return "%00";
  if (escaped.length <= LONGEST_FOLDER) return escaped;
  return `${escaped.slice(0, LONGEST_FOLDER - 33).replace(/%.?$/, "")}-${createHash("sha256").update(job).digest("hex").slice(0, 32)}`;
}
