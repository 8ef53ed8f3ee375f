import fs from "node:fs";
import path from "node:path";
import type { RunReport } from "../contracts/run.ts";
import { setAside } from "./history-aside.ts";
import { closeQuietly, NewerDatabase, openForReading, openForWriting } from "./history-file.ts";
import type { OpenOptions, Sqlite } from "./history-file.ts";
import { createMemoryStore } from "./history-store.ts";
import type { RunStore, StoredRun } from "./history-store.ts";
import { isDamage, isSqliteError } from "./sqlite-errors.ts";
import { shortCause } from "./text.ts";
import { makeFolders } from "../lib/make-folders.ts";

export interface KeeperOptions {
  readonly stateDir: string;
  readonly readOnly: boolean;
  now(): number;
  onNote(text: string): void;
}

/**
 * The store in use: the file while it works, memory otherwise. Damage, a failed write and a file that vanishes are
 * handled here, once, for every operation.
 */
export interface Keeper {
  /** Path of the database; undefined: memory. */
  readonly file: string | undefined;
  /** Runs `work` on the store, again on the next one where the first fails; `otherwise` where none works. */
  use<T>(otherwise: T, work: (store: RunStore) => T): T;
  /** As `use`, for work that writes: a read-only history is copied to memory first. */
  change<T>(otherwise: T, work: (store: RunStore) => T): T;
  /** Writes a run of this process, and again wherever the store moves. */
  save(run: StoredRun): void;
  close(): void;
}

const FILE_NAME = "history.db";
const BUSY_TIMEOUT_MS = 3_000;
const LAST_TRY_TIMEOUT_MS = 500;
/** How much of an unwritable history is taken along into memory. */
const CARRIED_RUNS = 1_000;
/** How many runs of its own a process remembers. */
const OWN_RUNS = 50;
const ATTEMPTS = 3;

export async function openKeeper(options: KeeperOptions): Promise<Keeper> {
  const { stateDir, readOnly, now } = options;
  const file = path.join(stateDir, FILE_NAME);
  const mine = new Map<string, StoredRun>();
  const said = new Set<string>();
  const say = (text: string): void => {
    if (said.has(text)) return;
    said.add(text);
    options.onNote(text);
  };
  const onUnreadable = (): void => say(`some runs in ${file} cannot be read and are left out`);
  let store: RunStore = createMemoryStore();
  /** The file that is open; undefined: memory. */
  let opened: FileId | undefined;
  let retryAtClose = false;
  let closed = false;

  let sqlite: Sqlite | undefined;
  try {
    sqlite = (await import("better-sqlite3")).default;
    checkLoads(sqlite);
  } catch (error) {
    sqlite = undefined;
    say(`the run history is kept in memory only, until this process ends: SQLite does not load (${shortCause(error)})`);
  }
  if (sqlite !== undefined) open(sqlite);

  function open(lib: Sqlite): void {
    const access: OpenOptions = { sqlite: lib, file, busyTimeoutMs: BUSY_TIMEOUT_MS, onUnreadable };
    for (let attempt = 1; ; attempt += 1) {
      let found: FileId | undefined;
      try {
        if (readOnly && fileIdOf(file) === undefined) return;
        if (!readOnly) makeFolder(stateDir);
        found = fileIdOf(file);
        store = (readOnly ? openForReading(access) : undefined) ?? openForWriting(access);
        opened = fileIdOf(file);
        for (const run of mine.values()) store.save(run);
        return;
      } catch (error) {
        if (attempt < ATTEMPTS && !readOnly && isDamage(error) && putAside(found ?? fileIdOf(file), error)) continue;
        toMemory(error);
        return;
      }
    }
  }

  /** Whether there is room for a new database now. */
  function putAside(damaged: FileId | undefined, why: unknown): boolean {
    closeQuietly(store);
    store = createMemoryStore();
    opened = undefined;
    if (damaged === undefined) return true;
    try {
      const name = setAside(file, damaged, now());
      if (name !== undefined) {
        say(
          `the run history was damaged (${shortCause(why)}): it is kept as ${path.join(stateDir, name)} and a new one is begun`,
        );
      }
      return true;
    } catch {
      // The folder can't be changed: the damage itself is then told as the reason for memory.
      return false;
    }
  }

  /** Goes on without the file, with as much of it as can still be read. */
  function toMemory(why: unknown): void {
    const before = store;
    const memory = createMemoryStore();
    for (const report of isDamage(why) ? [] : readable(opened === undefined ? undefined : before)) {
      memory.addNew([{ report, process: undefined, updatedAtMs: now() }]);
    }
    for (const run of mine.values()) memory.save(run);
    closeQuietly(before);
    store = memory;
    opened = undefined;
    retryAtClose = !readOnly && !(why instanceof NewerDatabase);
    if (why !== undefined)
      say(`the run history is kept in memory only, until this process ends: ${file}: ${causeOf(why, file)}`);
  }

  function readable(current: RunStore | undefined): RunReport[] {
    const finished = (runs: RunReport[]): RunReport[] => runs.filter((run) => readOnly || run.status !== "running");
    try {
      if (current !== undefined) return finished(current.runs({ limit: CARRIED_RUNS }));
      if (sqlite === undefined) return [];
      const reader = openForReading({ sqlite, file, busyTimeoutMs: LAST_TRY_TIMEOUT_MS, onUnreadable });
      if (reader === undefined) return [];
      try {
        return finished(reader.runs({ limit: CARRIED_RUNS }));
      } finally {
        closeQuietly(reader);
      }
    } catch {
      // Nothing to take along; why the file can't be used is told by the caller.
      return [];
    }
  }

  /** A database that was deleted or replaced while open would take writes that nobody finds again. */
  function followFile(): void {
    if (opened === undefined || readOnly || sqlite === undefined) return;
    let there: FileId | undefined;
    try {
      there = fileIdOf(file);
    } catch {
      // A mount that can't be looked at for a moment: reading or writing will tell.
      return;
    }
    if (there?.dev === opened.dev && there.ino === opened.ino) return;
    closeQuietly(store);
    store = createMemoryStore();
    opened = undefined;
    say(`${file} was removed or replaced while in use: the run history is begun anew`);
    open(sqlite);
  }

  function use<T>(otherwise: T, work: (store: RunStore) => T): T {
    for (let attempt = 1; attempt <= ATTEMPTS && !closed; attempt += 1) {
      try {
        followFile();
        return work(store);
      } catch (error) {
        // Not the file's fault (a value that does not fit): it must not end a backup either.
        const ofTheFile =
          isDamage(error) || (isSqliteError(error, "SQLITE") && !isSqliteError(error, "SQLITE_CONSTRAINT"));
        if (opened === undefined || sqlite === undefined || !ofTheFile) {
          say(`a run could not be kept in the history (${shortCause(error)})`);
          return otherwise;
        }
        if (!readOnly && isDamage(error) && putAside(opened, error)) open(sqlite);
        else toMemory(error);
      }
    }
    return otherwise;
  }

  function change<T>(otherwise: T, work: (store: RunStore) => T): T {
    if (readOnly && opened !== undefined) toMemory(undefined);
    return use(otherwise, work);
  }

  function remember(run: StoredRun): void {
    mine.delete(run.report.id);
    mine.set(run.report.id, run);
    for (const oldest of mine.keys()) {
      if (mine.size <= OWN_RUNS) break;
      mine.delete(oldest);
    }
  }

  /** What had to stay in memory is tried once more: a full disk may have room again. */
  function lastTry(): void {
    if (opened !== undefined || !retryAtClose || mine.size === 0 || sqlite === undefined) return;
    try {
      const again = openForWriting({ sqlite, file, busyTimeoutMs: LAST_TRY_TIMEOUT_MS, onUnreadable });
      for (const run of mine.values()) again.save(run);
      closeQuietly(again);
    } catch {
      // Still not to be written: that was said when it was found.
    }
  }

  return {
    get file() {
      return opened === undefined ? undefined : file;
    },
    use,
    change,
    save: (run) => {
      remember(run);
      change(undefined, (to) => to.save(run));
    },
    close: () => {
      if (closed) return;
      closed = true;
      closeQuietly(store);
      lastTry();
    },
  };
}

interface FileId {
  readonly dev: bigint;
  readonly ino: bigint;
}

function fileIdOf(file: string): FileId | undefined {
  return fs.statSync(file, { bigint: true, throwIfNoEntry: false });
}

function makeFolder(folder: string): void {
  if (fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false)
    throw new Error("the state folder is not a folder");
  makeFolders(folder, 0o700);
}

/** SQLite says "unable to open" for much that the system can name. */
function causeOf(why: unknown, file: string): string {
  if (isSqliteError(why, "SQLITE_CANTOPEN", "SQLITE_READONLY")) {
    try {
      for (const place of [path.dirname(file), file]) fs.accessSync(place, fs.constants.R_OK | fs.constants.W_OK);
    } catch (error) {
      return shortCause(error);
    }
  }
  return shortCause(why);
}

/** The native part is only loaded by the first database. */
function checkLoads(sqlite: Sqlite): void {
  new sqlite(":memory:").close();
}
