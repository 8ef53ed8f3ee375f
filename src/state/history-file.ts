import type Database from "better-sqlite3";
import fs from "node:fs";
import path from "node:path";
import { systemCode } from "../lib/errors.ts";
import { APPLICATION_ID, MIGRATIONS } from "./history-schema.ts";
import { createSqlStore } from "./history-sql.ts";
import type { RunStore } from "./history-store.ts";
import { DamagedDatabase, isSqliteError, whileBusy } from "./sqlite-errors.ts";

/** Opening the database file, and telling a damaged one from one that only can't be used now. */

export type Sqlite = typeof Database;

/** The file was written by a later version: it is not touched. */
export class NewerDatabase extends Error {
  constructor(version: number) {
    super(`it was written by a newer Lifeboat (schema ${version}, this one knows ${MIGRATIONS.length})`);
    this.name = "NewerDatabase";
  }
}

const MAX_COPIED_BYTES = 64 * 1024 * 1024;
/** `f_type` of statfs(2) where shared memory or locks are not to be trusted: NFS, SMB, CIFS, FUSE (Docker Desktop), 9p, Ceph, AFS. */
const REMOTE_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x65735546, 0x01021997, 0x00c36400, 0x5346414f,
]);

export interface OpenOptions {
  readonly sqlite: Sqlite;
  readonly file: string;
  /** How long to wait for another process's transaction. */
  readonly busyTimeoutMs: number;
  /** Called for each row that is no report. */
  onUnreadable(): void;
}

/**
 * Opens (or begins) the database for writing, of the current schema, proven by a write. WAL where it works, else a
 * DELETE journal.
 *
 * @throws {DamagedDatabase} {@link NewerDatabase} or the system's or SQLite's error (read-only, full, locked, …)
 */
export function openForWriting({ sqlite, file, busyTimeoutMs, onUnreadable }: OpenOptions): RunStore {
  if (!isThere(file)) createPrivate(file);
  const unclean = isUnclean(file);
  const prepare = (db: Database.Database): RunStore => {
    db.pragma("foreign_keys = ON");
    db.pragma("trusted_schema = OFF");
    db.pragma("cell_size_check = ON");
    checkVersion(db);
    if (unclean) checkPages(db);
    chooseJournal(db, path.dirname(file));
    migrate(db);
    // The number is written even where it is the same: what can't be written shows now and not in the middle of a run.
    db.transaction(() => {
      db.pragma(`user_version = ${MIGRATIONS.length}`);
      db.pragma(`application_id = ${APPLICATION_ID + MIGRATIONS.length}`);
    }).immediate();
    return createSqlStore(db, onUnreadable);
  };
  const open = (): Database.Database => new sqlite(file, { timeout: busyTimeoutMs, fileMustExist: true });
  return whileBusy(busyTimeoutMs, () => withDatabase(file, open, prepare));
}

/**
 * Opens the database for reading beside a writer, or on a read-only mount. Undefined where its schema is an older one,
 * which only a writer can bring up to date.
 *
 * @throws as {@link openForWriting}
 */
export function openForReading({ sqlite, file, busyTimeoutMs, onUnreadable }: OpenOptions): RunStore | undefined {
  isThere(file);
  const options = { readonly: true, fileMustExist: true, timeout: busyTimeoutMs };
  const prepare = (db: Database.Database): RunStore | undefined => {
    db.pragma("trusted_schema = OFF");
    db.pragma("cell_size_check = ON");
    checkVersion(db);
    if (versionOf(db) === MIGRATIONS.length) return createSqlStore(db, onUnreadable);
    db.close();
    return undefined;
  };
  try {
    return whileBusy(busyTimeoutMs, () => withDatabase(file, () => new sqlite(file, options), prepare));
  } catch (error) {
    if (!isSqliteError(error, "SQLITE_CANTOPEN", "SQLITE_READONLY")) throw error;
    return withDatabase(file, () => new sqlite(contentOf(file), { readonly: true }), prepare);
  }
}

/**
 * A WAL database in a folder where its shared-memory file can't be made is read as a copy in memory. Bytes 18 and 19 of
 * the header are set to "no WAL"; what was only in a log that a killed process left is not seen.
 */
function contentOf(file: string): Buffer {
  if (fs.statSync(file).size > MAX_COPIED_BYTES)
    throw new Error("the folder is read-only and the history too large to be copied");
  const content = fs.readFileSync(file);
  if (content.length >= 100) content.fill(1, 18, 20);
  return content;
}

/** Brings an empty or older database to the current schema. Two processes at once: the second finds nothing to do. */
function migrate(db: Database.Database): void {
  const step = db.transaction(() => {
    const version = versionOf(db);
    const sql = MIGRATIONS[version];
    if (sql === undefined) return;
    db.exec(sql);
    db.pragma(`user_version = ${version + 1}`);
  });
  while (versionOf(db) < MIGRATIONS.length) step.immediate();
}

/** Throws for anything but a regular file: opening a FIFO would wait for ever. */
function isThere(file: string): boolean {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (stat?.isFile() === false) throw new Error("history.db is not a regular file");
  return stat !== undefined;
}

/** SQLite would make it readable for all that the umask lets; its companions take over the mode. */
function createPrivate(file: string): void {
  try {
    fs.closeSync(fs.openSync(file, "wx", 0o600));
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
}

/** A write-ahead log or journal with content: another process has it open, or the last one was killed. */
function isUnclean(file: string): boolean {
  return ["-wal", "-journal"].some((suffix) => (fs.statSync(file + suffix, { throwIfNoEntry: false })?.size ?? 0) > 0);
}

/**
 * Damage that SQLite takes for something else: write versions beyond 2 look like a read-only file, schema formats and
 * encodings that do not exist like an ordinary error (https://www.sqlite.org/fileformat2.html, 1.3). Only for a file
 * that could not be opened: closing it here would drop the locks that SQLite holds on it in this process.
 */
function hasMalformedHeader(file: string): boolean {
  const header = Buffer.alloc(100);
  try {
    const fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    try {
      if (fs.readSync(fd, header, 0, header.length, 0) === 0) return false;
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    // Not readable: then that is what is wrong, and SQLite has said so.
    return false;
  }
  if (header.toString("latin1", 0, 16) !== "SQLite format 3\0") return true;
  return (
    header.readUInt8(18) > 2 || header.readUInt8(19) > 2 || header.readUInt32BE(44) > 4 || header.readUInt32BE(56) > 3
  );
}

function versionOf(db: Database.Database): number {
  const version = db.pragma("user_version", { simple: true });
  return typeof version === "number" ? version : 0;
}

function checkVersion(db: Database.Database): void {
  const version = versionOf(db);
  if (version >= 0 && version <= MIGRATIONS.length) return;
  const isOurs = db.pragma("application_id", { simple: true }) === APPLICATION_ID + version;
  throw isOurs ? new NewerDatabase(version) : new DamagedDatabase("schema number is malformed");
}

function checkPages(db: Database.Database): void {
  const answer = db.pragma("quick_check(1)", { simple: true });
  if (answer !== "ok") throw new DamagedDatabase(String(answer).replaceAll(/\s+/g, " "));
}

function chooseJournal(db: Database.Database, folder: string): void {
  if (!isRemote(folder)) {
    try {
      if (db.pragma("journal_mode = WAL", { simple: true }) === "wal") {
        // Reading makes the shared memory that WAL needs; where that fails, so does the pragma or this.
        db.pragma("synchronous = NORMAL");
        db.prepare("SELECT count(*) FROM sqlite_schema").get();
        return;
      }
    } catch (error) {
      if (!isSqliteError(error, "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_PROTOCOL")) throw error;
    }
  }
  // Without shared memory a WAL database can only be left by an exclusive owner.
  db.pragma("locking_mode = EXCLUSIVE");
  db.pragma("journal_mode = DELETE");
  db.pragma("locking_mode = NORMAL");
  db.pragma("synchronous = FULL");
  db.prepare("SELECT count(*) FROM sqlite_schema").get();
}

function isRemote(folder: string): boolean {
  return REMOTE_FILE_SYSTEMS.has(fs.statfsSync(folder).type >>> 0);
}

/** Closes the database where preparing it fails, and tells damage by another name. */
function withDatabase<T>(file: string, open: () => Database.Database, prepare: (db: Database.Database) => T): T {
  let db: Database.Database | undefined;
  try {
    db = open();
    return prepare(db);
  } catch (error) {
    if (db !== undefined) closeQuietly(db);
    // A plain "SQL logic error" while preparing is a schema that is not ours.
    const broken =
      isSqliteError(error, "SQLITE_ERROR") || (isSqliteError(error, "SQLITE_READONLY") && hasMalformedHeader(file));
    throw broken ? new DamagedDatabase(error instanceof Error ? error.message : "") : error;
  }
}

export function closeQuietly(db: { close(): unknown }): void {
  try {
    db.close();
  } catch {
    // A close that can't write its last checkpoint: the file is as the last commit left it.
  }
}
