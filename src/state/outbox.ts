import fs from "node:fs";
import path from "node:path";
import type { NotificationLevel } from "../contracts/notification.ts";
import { makeFolders } from "../lib/make-folders.ts";
import type { Sqlite } from "./history-file.ts";
import { isDamage, whileBusy } from "./sqlite-errors.ts";
import { shortCause } from "./text.ts";

/** A message that one route has not taken yet. It names the route by an id: no URL and no secret is kept. */
export interface OutboxMessage {
  readonly job: string;
  readonly routeId: string;
  readonly title: string;
  readonly body: string;
  readonly level: NotificationLevel;
  readonly status: string;
  /** Targets of the route that have it. */
  readonly delivered: readonly string[];
  /** When it was first tried, milliseconds since the epoch. */
  readonly createdMs: number;
  /** Not tried again before. */
  readonly nextMs: number;
  readonly attempts: number;
}

export interface OutboxEntry extends OutboxMessage {
  readonly id: number;
}

/** What could not be told yet. Nothing here throws because of the database: what can't be kept is said. */
export interface Outbox {
  add(message: OutboxMessage): void;
  /** Those whose time has come, oldest first. */
  due(nowMs: number): OutboxEntry[];
  /** When the next one is due; undefined where none waits. */
  nextMs(): number | undefined;
  update(id: number, change: Pick<OutboxMessage, "delivered" | "nextMs" | "attempts">): void;
  remove(id: number): void;
  /** Whether this was told already and is not over: so that it is told once. Remembers that it is now. */
  raise(job: string, alert: string): boolean;
  /** It is over. */
  clear(job: string, alert: string): void;
  /** When this was first asked about the job, milliseconds since the epoch; `nowMs` where it is now or can't be kept. */
  firstSeenMs(job: string, nowMs: number): number;
  close(): void;
}

export interface OutboxOptions {
  readonly stateDir: string;
  onNote(text: string): void;
}

const FILE_NAME = "outbox.db";
/** A service that is down for long must not fill the disk. */
const MOST_ENTRIES = 500;
const LONGEST_BODY = 256 * 1024;
const BUSY_TIMEOUT_MS = 3_000;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS outbox (
  id INTEGER PRIMARY KEY,
  job TEXT NOT NULL,
  route_id TEXT NOT NULL,
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  level TEXT NOT NULL,
  status TEXT NOT NULL,
  delivered TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  next_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS alerts (job TEXT NOT NULL, alert TEXT NOT NULL, PRIMARY KEY (job, alert)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS first_seen (job TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID;
`;

type Database = InstanceType<Sqlite>;

/** Opens `outbox.db` in the state folder; where that can't be used, messages wait only as long as this process lives. */
export async function openOutbox({ stateDir, onNote }: OutboxOptions): Promise<Outbox> {
  const say = (cause: unknown): void =>
    onNote(`notifications that can't be delivered are not kept for later: ${shortCause(cause)}`);
  let database: Database;
  try {
    const sqlite = (await import("better-sqlite3")).default;
    database = openFile(sqlite, stateDir, say) ?? prepared(new sqlite(":memory:"));
  } catch (error) {
    say(error);
    return NONE;
  }
  /** A full or broken disk costs the memory of unsent messages, never the run. */
  const safely = <T>(otherwise: T, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      say(error);
      return otherwise;
    }
  };
  return {
    add: (message) => safely(undefined, () => insert(database, message)),
    due: (nowMs) =>
      safely([], () =>
        database.prepare("SELECT * FROM outbox WHERE next_ms <= ? ORDER BY created_ms, id").all(nowMs).map(entryOf),
      ),
    nextMs: () =>
      safely(undefined, () => {
        const row = database.prepare("SELECT min(next_ms) AS next FROM outbox").get() as { next: number | null };
        return row.next ?? undefined;
      }),
    update: (id, { delivered, nextMs, attempts }) =>
      safely(undefined, () => {
        database
          .prepare("UPDATE outbox SET delivered = ?, next_ms = ?, attempts = ? WHERE id = ?")
          .run(JSON.stringify(delivered), Math.round(nextMs), attempts, id);
      }),
    remove: (id) => safely(undefined, () => void database.prepare("DELETE FROM outbox WHERE id = ?").run(id)),
    raise: (job, alert) =>
      safely(true, () => database.prepare("INSERT OR IGNORE INTO alerts VALUES (?, ?)").run(job, alert).changes > 0),
    clear: (job, alert) =>
      safely(undefined, () => void database.prepare("DELETE FROM alerts WHERE job = ? AND alert = ?").run(job, alert)),
    firstSeenMs: (job, nowMs) =>
      safely(nowMs, () => {
        database.prepare("INSERT OR IGNORE INTO first_seen VALUES (?, ?)").run(job, Math.round(nowMs));
        const row = database.prepare("SELECT at_ms AS at FROM first_seen WHERE job = ?").get(job) as { at: number };
        return row.at;
      }),
    close: () => safely(undefined, () => void database.close()),
  };
}

const NONE: Outbox = {
  add: () => undefined,
  due: () => [],
  nextMs: () => undefined,
  update: () => undefined,
  remove: () => undefined,
  raise: () => true,
  clear: () => undefined,
  firstSeenMs: (_job, nowMs) => nowMs,
  close: () => undefined,
};

/** Undefined where the file can't be used: the caller goes on in memory. A damaged file makes room for a new one. */
function openFile(sqlite: Sqlite, stateDir: string, say: (cause: unknown) => void): Database | undefined {
  const file = path.join(stateDir, FILE_NAME);
  try {
    makeFolders(stateDir, 0o700);
    fs.closeSync(fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW, 0o600));
  } catch {
    return undefined;
  }
  const open = (): Database =>
    whileBusy(BUSY_TIMEOUT_MS, () => prepared(new sqlite(file, { timeout: BUSY_TIMEOUT_MS })));
  try {
    try {
      return open();
    } catch (error) {
      if (!isDamage(error)) throw error;
      for (const suffix of ["", "-journal", "-wal", "-shm"]) fs.rmSync(`${file}${suffix}`, { force: true });
      return open();
    }
  } catch (error) {
    say(error);
    return undefined;
  }
}

function prepared(database: Database): Database {
  try {
    database.transaction(() => database.exec(SCHEMA)).immediate();
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function insert(database: Database, message: OutboxMessage): void {
  const { job, routeId, title, body, level, status, delivered, createdMs, nextMs, attempts } = message;
  database
    .prepare(
      `INSERT INTO outbox (job, route_id, title, body, level, status, delivered, created_ms, next_ms, attempts)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      job,
      routeId,
      title,
      body.slice(0, LONGEST_BODY),
      level,
      status,
      JSON.stringify(delivered),
      Math.round(createdMs),
      Math.round(nextMs),
      attempts,
    );
  database
    .prepare("DELETE FROM outbox WHERE id NOT IN (SELECT id FROM outbox ORDER BY created_ms DESC, id DESC LIMIT ?)")
    .run(MOST_ENTRIES);
}

function entryOf(row: unknown): OutboxEntry {
  const fields = row as Record<string, string | number>;
  return {
    id: Number(fields["id"]),
    job: String(fields["job"]),
    routeId: String(fields["route_id"]),
    title: String(fields["title"]),
    body: String(fields["body"]),
    level: fields["level"] === "info" ? "info" : "error",
    status: String(fields["status"]),
    delivered: namesIn(String(fields["delivered"])),
    createdMs: Number(fields["created_ms"]),
    nextMs: Number(fields["next_ms"]),
    attempts: Number(fields["attempts"]),
  };
}

function namesIn(json: string): string[] {
  const value: unknown = JSON.parse(json);
  return Array.isArray(value) ? value.filter((name): name is string => typeof name === "string") : [];
}
