import type { Destination } from "../contracts/destination.ts";
import type { RunReport } from "../contracts/run.ts";
import { bufferSource } from "../destinations/buffer-source.ts";
import { DestinationError } from "../lib/errors.ts";
import { parseRunReport } from "../state/report-json.ts";
import { parseRecordName, recordFolderOf, recordNameOf, runIdTime } from "./record-names.ts";
import { toRecord } from "./to-record.ts";

/** A larger object is none of ours: it is not read to its end. */
export const LARGEST_RECORD_BYTES = 256 * 1024;

const READ_AT_ONCE = 8;
const DAY_MS = 24 * 3600 * 1000;

/** Puts `.lifeboat/<job>/<runId>.json` beside the archives, replacing an earlier state of the same run. */
export async function writeRecord(destination: Destination, report: RunReport, signal: AbortSignal): Promise<void> {
  const body = bufferSource(Buffer.from(`${JSON.stringify(toRecord(report, LARGEST_RECORD_BYTES))}\n`));
  const owner = { host: report.host, job: report.job, runId: report.id };
  await destination.put(recordNameOf(report.job, report.id), body, { area: "record", owner, signal });
}

export interface ReadRecordsOptions {
  readonly signal: AbortSignal;
  /** At most so many of the newest are read; default 500. */
  readonly limit?: number;
  /** A record that can't be read is left out. Default: it is an error, since retention must not overlook one. */
  readonly tolerant?: boolean;
  /** Runs that are known anyway (from the history) are not read once more: a request each adds up in a remote store. */
  known?(runId: string): RunReport | undefined;
}

/**
 * The runs that left a record, of one job or (undefined) of all, newest first. What is no record, or lies about its own
 * place, is left out: anybody who may write to the store may have put it there.
 */
export async function readRecords(
  destination: Destination,
  job: string | undefined,
  options: ReadRecordsOptions,
): Promise<RunReport[]> {
  const found = (await listRecords(destination, job, options.signal)).slice(0, options.limit ?? 500);
  const reports: (RunReport | undefined)[] = [];
  for (let at = 0; at < found.length; at += READ_AT_ONCE) {
    const batch = found.slice(at, at + READ_AT_ONCE).map((record) => readRecord(destination, record, options));
    reports.push(...(await Promise.all(batch)));
  }
  return reports.filter((report) => report !== undefined);
}

/** Removes records of `job` that are older than `days`, never its newest; returns how many went. Rejects with the first failure, after trying all. */
export async function pruneRecords(
  destination: Destination,
  job: string,
  days: number,
  signal: AbortSignal,
  nowMs: number = Date.now(),
): Promise<number> {
  const failures: unknown[] = [];
  let removed = 0;
  for (const record of (await listRecords(destination, job, signal)).slice(1)) {
    if ((runIdTime(record.runId) ?? record.storedAt) >= nowMs - days * DAY_MS) continue;
    signal.throwIfAborted();
    try {
      await destination.remove("record", record.name, signal);
      removed += 1;
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return removed;
}

interface RecordObject {
  readonly name: string;
  readonly folder: string;
  readonly runId: string;
  readonly sizeBytes: number;
  readonly storedAt: number;
}

/** Newest first: run ids sort by time. */
async function listRecords(
  destination: Destination,
  job: string | undefined,
  signal: AbortSignal,
): Promise<RecordObject[]> {
  const wanted = job === undefined ? undefined : recordFolderOf(job);
  const found: RecordObject[] = [];
  for await (const { name, sizeBytes, storedAt } of destination.list("record", signal)) {
    const parts = parseRecordName(name);
    if (parts === undefined || (wanted !== undefined && parts.folder !== wanted)) continue;
    found.push({ name, ...parts, sizeBytes, storedAt });
  }
  return found.toSorted((a, b) => (a.runId < b.runId ? 1 : a.runId > b.runId ? -1 : 0));
}

async function readRecord(
  destination: Destination,
  record: RecordObject,
  options: ReadRecordsOptions,
): Promise<RunReport | undefined> {
  if (record.sizeBytes > LARGEST_RECORD_BYTES) return undefined;
  const known = options.known?.(record.runId);
  if (known !== undefined && recordFolderOf(known.job) === record.folder) return known;
  let text: string | undefined;
  try {
    text = await readSmall(destination, record.name, options.signal);
  } catch (error) {
    if (options.signal.aborted) throw error;
    const vanished = error instanceof DestinationError && (error.code === "not-found" || error.code === "invalid");
    if (vanished || options.tolerant === true) return undefined;
    throw error;
  }
  const report = text === undefined ? undefined : parseRunReport(parseJson(text));
  const isInPlace = report !== undefined && report.id === record.runId && recordFolderOf(report.job) === record.folder;
  return isInPlace ? report : undefined;
}

/** Undefined for more than a record can hold, whatever the listing said. */
async function readSmall(destination: Destination, name: string, signal: AbortSignal): Promise<string | undefined> {
  const body = await destination.get("record", name, undefined, signal);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk);
    sizeBytes += bytes.byteLength;
    if (sizeBytes > LARGEST_RECORD_BYTES) return undefined;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON is simply no record.
    return undefined;
  }
}
