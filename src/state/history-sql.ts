import type Database from "better-sqlite3";
import type { RunReport } from "../contracts/run.ts";
import { fieldsOf, fromRows, processOf, toRows } from "./history-rows.ts";
import type { Row } from "./history-rows.ts";
import { DEFAULT_LIMIT } from "./history-store.ts";
import type { RunStore, StoredRun } from "./history-store.ts";

const CHILDREN = ["steps", "deliveries", "prunes", "warnings"] as const;
type Child = (typeof CHILDREN)[number];

const COLUMNS: Readonly<Record<Child, readonly string[]>> = {
  steps: ["run_id", "position", "phase", "target", "started_at", "duration_ms", "outcome", "detail"],
  deliveries: [
    "run_id",
    "position",
    "destination",
    "kind",
    "status",
    "size_bytes",
    "verified",
    "duration_ms",
    "attempts",
    "delivered_at",
    "error",
  ],
  prunes: ["run_id", "position", "destination", "kept", "removed", "error"],
  warnings: ["run_id", "position", "level", "text"],
};

const RUN_COLUMNS = [
  "id",
  "job",
  "host",
  "lifeboat",
  "trigger",
  "status",
  "fired_at",
  "fired_ms",
  "started_at",
  "started_ms",
  "ended_at",
  "error",
  "pid",
  "process_start",
  "boot_id",
  "pid_namespace",
  "archive",
  "size_bytes",
  "sha256",
  "compression",
  "compressor",
  "files",
  "directories",
  "symlinks",
  "hardlinks",
  "others",
  "bytes_read",
  "incomplete",
  "blocks",
  "blocks_sha256",
  "updated_ms",
] as const;

const NEWEST_FIRST = "ORDER BY started_ms DESC, id DESC";

/**
 * Runs in an open database of the current schema. All its statements are prepared at once, so that a schema that does
 * not fit shows here. Throws SQLite's errors. `onUnreadable` is called for each row that is no report.
 */
export function createSqlStore(db: Database.Database, onUnreadable: () => void): RunStore {
  const upsertRun = db.prepare<[Row], unknown>(
    `${insertInto("runs", RUN_COLUMNS)} ON CONFLICT (id) DO UPDATE SET ${RUN_COLUMNS.map((c) => `"${c}" = excluded."${c}"`).join(", ")}`,
  );
  const hasRun = db.prepare<[string], unknown>("SELECT 1 FROM runs WHERE id = ?");
  const find = db.prepare<[string], unknown>("SELECT * FROM runs WHERE id = ?");
  const select = db.prepare<[Row], unknown>(
    `SELECT * FROM runs WHERE (@job IS NULL OR job = @job) AND (@status IS NULL OR status = @status)
     AND started_ms >= @since ${NEWEST_FIRST} LIMIT @limit`,
  );
  const running = db.prepare<[], unknown>(`SELECT * FROM runs WHERE status = 'running' ${NEWEST_FIRST}`);
  const removeOld = db.prepare<[number], unknown>(
    `DELETE FROM runs WHERE started_ms < ? AND status <> 'running'
     AND id <> (SELECT id FROM runs AS other WHERE other.job = runs.job ${NEWEST_FIRST} LIMIT 1)
     AND id <> ifnull((SELECT id FROM runs AS other WHERE other.job = runs.job AND status = 'success' ${NEWEST_FIRST} LIMIT 1), '')`,
  );
  const children = CHILDREN.map((table) => ({
    table,
    insert: db.prepare<[Row], unknown>(insertInto(table, COLUMNS[table])),
    clear: db.prepare<[string], unknown>(`DELETE FROM ${table} WHERE run_id = ?`),
    read: db.prepare<[string], unknown>(`SELECT * FROM ${table} WHERE run_id = ? ORDER BY position`),
  }));

  const write = (run: StoredRun): void => {
    const rows = toRows(run);
    upsertRun.run(rows.run);
    for (const child of children) {
      child.clear.run(run.report.id);
      for (const row of rows[child.table]) child.insert.run(row);
    }
  };
  const save = db.transaction(write);
  const addNew = db.transaction((runs: readonly StoredRun[]): number => {
    let added = 0;
    for (const run of runs) {
      if (hasRun.get(run.report.id) !== undefined) continue;
      write(run);
      added += 1;
    }
    return added;
  });

  const assemble = (run: unknown): RunReport | undefined => {
    const id = fieldsOf(run)["id"];
    const read: Record<Child, unknown[]> = { steps: [], deliveries: [], prunes: [], warnings: [] };
    if (typeof id === "string") for (const child of children) read[child.table] = child.read.all(id);
    const report = fromRows({ run, ...read });
    if (report === undefined) onUnreadable();
    return report;
  };
  const assembleAll = (rows: readonly unknown[]): RunReport[] => rows.flatMap((row) => assemble(row) ?? []);

  return {
    save: (run) => save.immediate(run),
    addNew: (runs) => addNew.immediate(runs),
    find: (id) => {
      const row = find.get(id);
      return row === undefined ? undefined : assemble(row);
    },
    runs: ({ job, status, sinceMs, limit }) =>
      assembleAll(
        select.all({
          job: job ?? null,
          status: status ?? null,
          since: sinceMs ?? Number.MIN_SAFE_INTEGER,
          limit: Math.max(0, Math.min(Math.trunc(limit ?? DEFAULT_LIMIT), Number.MAX_SAFE_INTEGER)),
        }),
      ),
    running: () =>
      running.all().flatMap((row) => {
        const report = assemble(row);
        const updatedAtMs = fieldsOf(row)["updated_ms"];
        if (report === undefined) return [];
        return [{ report, process: processOf(row), updatedAtMs: typeof updatedAtMs === "number" ? updatedAtMs : 0 }];
      }),
    removeBefore: (startedMs) => removeOld.run(startedMs).changes,
    close: () => void db.close(),
  };
}

function insertInto(table: string, columns: readonly string[]): string {
  const names = columns.map((column) => `"${column}"`).join(", ");
  return `INSERT INTO ${table} (${names}) VALUES (${columns.map((column) => `@${column}`).join(", ")})`;
}
