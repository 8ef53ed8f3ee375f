import type { RunReport } from "../contracts/run.ts";
import { isFields } from "./json-fields.ts";
import type { Fields } from "./json-fields.ts";
import { parseRunReport } from "./report-json.ts";
import type { StoredRun } from "./history-store.ts";
import type { ProcessIdentity } from "./process.ts";

/** Between a report and the rows that keep it. What comes back is checked as strictly as a record from a store. */

export type Row = Readonly<Record<string, string | number | null>>;

export interface RunRows {
  readonly run: Row;
  readonly steps: readonly Row[];
  readonly deliveries: readonly Row[];
  readonly prunes: readonly Row[];
  readonly warnings: readonly Row[];
}

export function toRows({ report, process, updatedAtMs }: StoredRun): RunRows {
  const { archive } = report;
  const run_id = report.id;
  return {
    run: {
      id: report.id,
      job: report.job,
      host: report.host,
      lifeboat: report.lifeboat,
      trigger: report.trigger,
      status: report.status,
      fired_at: report.firedAt,
      fired_ms: Date.parse(report.firedAt),
      started_at: report.startedAt,
      started_ms: Date.parse(report.startedAt),
      ended_at: report.endedAt ?? null,
      error: report.error ?? null,
      pid: report.pid ?? null,
      process_start: process?.startTime ?? null,
      boot_id: process?.bootId ?? null,
      pid_namespace: process?.namespace ?? null,
      archive: archive?.name ?? null,
      size_bytes: archive?.sizeBytes ?? null,
      sha256: archive?.sha256 ?? null,
      compression: archive?.compression ?? null,
      compressor: archive?.compressor ?? null,
      files: archive?.counts.files ?? null,
      directories: archive?.counts.directories ?? null,
      symlinks: archive?.counts.symlinks ?? null,
      hardlinks: archive?.counts.hardlinks ?? null,
      others: archive?.counts.others ?? null,
      bytes_read: archive?.bytesRead ?? null,
      incomplete: archive?.incomplete ?? null,
      blocks: archive?.blocks ?? null,
      blocks_sha256: archive?.blocksSha256 ?? null,
      updated_ms: updatedAtMs,
    },
    steps: report.steps.map((step, position) => ({
      run_id,
      position,
      phase: step.phase,
      target: step.target ?? null,
      started_at: step.startedAt,
      duration_ms: step.durationMs,
      outcome: step.outcome,
      detail: step.detail ?? null,
    })),
    deliveries: report.deliveries.map((delivery, position) => ({
      run_id,
      position,
      destination: delivery.destination,
      kind: delivery.kind,
      status: delivery.status,
      size_bytes: delivery.sizeBytes ?? null,
      verified: delivery.verified ?? null,
      duration_ms: delivery.durationMs,
      attempts: delivery.attempts,
      delivered_at: delivery.deliveredAt ?? null,
      error: delivery.error ?? null,
    })),
    prunes: report.prunes.map((prune, position) => ({
      run_id,
      position,
      destination: prune.destination,
      kept: prune.kept,
      removed: JSON.stringify(prune.removed),
      error: prune.error ?? null,
    })),
    warnings: report.warnings.map((warning, position) => ({
      run_id,
      position,
      level: warning.level,
      text: warning.text,
    })),
  };
}

export interface ReadRows {
  readonly run: unknown;
  readonly steps: readonly unknown[];
  readonly deliveries: readonly unknown[];
  readonly prunes: readonly unknown[];
  readonly warnings: readonly unknown[];
}

/** Undefined where the rows are not a report (written by something else, or damaged without SQLite noticing). */
export function fromRows(rows: ReadRows): RunReport | undefined {
  const run = fieldsOf(rows.run);
  return parseRunReport({
    version: 1,
    id: run["id"],
    job: run["job"],
    host: run["host"],
    lifeboat: run["lifeboat"],
    trigger: run["trigger"],
    status: run["status"],
    firedAt: run["fired_at"],
    startedAt: run["started_at"],
    endedAt: run["ended_at"],
    pid: run["pid"],
    archive: run["archive"] === null ? undefined : archiveOf(run),
    error: run["error"],
    steps: rows.steps.map(fieldsOf).map((step) => ({
      phase: step["phase"],
      target: step["target"],
      startedAt: step["started_at"],
      durationMs: step["duration_ms"],
      outcome: step["outcome"],
      detail: step["detail"],
    })),
    deliveries: rows.deliveries.map(fieldsOf).map((delivery) => ({
      destination: delivery["destination"],
      kind: delivery["kind"],
      status: delivery["status"],
      sizeBytes: delivery["size_bytes"],
      verified: delivery["verified"],
      durationMs: delivery["duration_ms"],
      attempts: delivery["attempts"],
      deliveredAt: delivery["delivered_at"],
      error: delivery["error"],
    })),
    prunes: rows.prunes.map(fieldsOf).map((prune) => ({
      destination: prune["destination"],
      kept: prune["kept"],
      removed: parseJson(prune["removed"]),
      error: prune["error"],
    })),
    warnings: rows.warnings.map(fieldsOf).map((warning) => ({ level: warning["level"], text: warning["text"] })),
  });
}

function archiveOf(run: Fields): object {
  return {
    name: run["archive"],
    sizeBytes: run["size_bytes"],
    sha256: run["sha256"],
    compression: run["compression"],
    compressor: run["compressor"],
    counts: {
      files: run["files"],
      directories: run["directories"],
      symlinks: run["symlinks"],
      hardlinks: run["hardlinks"],
      others: run["others"],
    },
    bytesRead: run["bytes_read"],
    incomplete: run["incomplete"],
    blocks: run["blocks"],
    blocksSha256: run["blocks_sha256"],
  };
}

/** The process that wrote the row; undefined where it was not known (imported from a record). */
export function processOf(row: unknown): ProcessIdentity | undefined {
  const { pid, process_start: startTime, boot_id: bootId, pid_namespace: namespace } = fieldsOf(row);
  if (typeof pid !== "number" || typeof startTime !== "number") return undefined;
  if (typeof bootId !== "string" || typeof namespace !== "string") return undefined;
  return { pid, startTime, bootId, namespace };
}

export function fieldsOf(row: unknown): Fields {
  return isFields(row) ? row : {};
}

function parseJson(text: unknown): unknown {
  try {
    return typeof text === "string" ? JSON.parse(text) : undefined;
  } catch {
    // The whole report is then refused by its parser.
    return undefined;
  }
}
