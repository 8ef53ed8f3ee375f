/**
 * With the schema's number in its lower half, this is SQLite's `application_id`: a number that both places agree on was
 * written by a Lifeboat, one that only stands in `user_version` is damage. Later versions must keep writing it.
 */
export const APPLICATION_ID = 0x4c42_0000;

/**
 * The database's schema as an ordered list of steps: `PRAGMA user_version` is the number of steps done. A released step
 * is never changed; a new one is added at the end, and is run once, in a transaction.
 *
 * Times are kept as text (ISO 8601, UTC, as the report has them) and, where they are sorted by, in milliseconds too.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    job TEXT NOT NULL,
    host TEXT NOT NULL,
    lifeboat TEXT NOT NULL,
    "trigger" TEXT NOT NULL,
    status TEXT NOT NULL,
    fired_at TEXT NOT NULL,
    fired_ms INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_at TEXT,
    error TEXT,
    pid INTEGER,
    process_start INTEGER,
    boot_id TEXT,
    pid_namespace TEXT,
    archive TEXT,
    size_bytes INTEGER,
    sha256 TEXT,
    compression TEXT,
    compressor TEXT,
    files INTEGER,
    directories INTEGER,
    symlinks INTEGER,
    hardlinks INTEGER,
    others INTEGER,
    bytes_read INTEGER,
    incomplete INTEGER,
    updated_ms INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX runs_by_start ON runs (started_ms, id);
  CREATE INDEX runs_by_job ON runs (job, started_ms, id);

  CREATE TABLE steps (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    phase TEXT NOT NULL,
    target TEXT,
    started_at TEXT NOT NULL,
    duration_ms REAL NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT,
    PRIMARY KEY (run_id, position)
  ) WITHOUT ROWID;

  CREATE TABLE deliveries (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    destination TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    size_bytes INTEGER,
    verified TEXT,
    duration_ms REAL NOT NULL,
    attempts INTEGER NOT NULL,
    error TEXT,
    PRIMARY KEY (run_id, position)
  ) WITHOUT ROWID;

  -- removed: the names, as a JSON list.
  CREATE TABLE prunes (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    destination TEXT NOT NULL,
    kept INTEGER NOT NULL,
    removed TEXT NOT NULL,
    error TEXT,
    PRIMARY KEY (run_id, position)
  ) WITHOUT ROWID;

  CREATE TABLE warnings (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    level TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (run_id, position)
  ) WITHOUT ROWID;
  `,
  `
  ALTER TABLE deliveries ADD COLUMN delivered_at TEXT;
  ALTER TABLE runs ADD COLUMN blocks INTEGER;
  ALTER TABLE runs ADD COLUMN blocks_sha256 TEXT;
  `,
];
