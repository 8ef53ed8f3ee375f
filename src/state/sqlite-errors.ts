import { systemCode } from "../lib/errors.ts";

/** The file is no database of ours any more: it is to be set aside. */
export class DamagedDatabase extends Error {
  constructor(message: string) {
    super(message);
    this.name = "DamagedDatabase";
  }
}

const DAMAGE_CODES = [
  "SQLITE_CORRUPT",
  "SQLITE_NOTADB",
  "SQLITE_FORMAT",
  "SQLITE_CONSTRAINT_FOREIGNKEY",
  "SQLITE_CONSTRAINT_PRIMARYKEY",
  "SQLITE_CONSTRAINT_UNIQUE",
] as const;

/**
 * Whether an error of SQLite means that the file's content is wrong, not its surroundings. Keys that clash or dangle do:
 * no statement of ours can cause that while the indexes fit their tables.
 */
export function isDamage(error: unknown): boolean {
  return error instanceof DamagedDatabase || isSqliteError(error, ...DAMAGE_CODES);
}

export function isSqliteError(error: unknown, ...prefixes: readonly string[]): boolean {
  const code = systemCode(error);
  return code !== undefined && prefixes.some((prefix) => code === prefix || code.startsWith(`${prefix}_`));
}

/** How long to leave another process alone before the next try. */
const PAUSE_MS = 20;

/**
 * Tries again for as long as the database is in use by others. SQLite's own waiting covers transactions; where a journal is
 * changed, a database begun or its last connection closed, it says "busy" at once
 * (https://www.sqlite.org/c3ref/busy_handler.html). It waits as SQLite does: the thread stands still.
 */
export function whileBusy<T>(limitMs: number, attempt: () => T): T {
  const endMs = performance.now() + limitMs;
  while (true) {
    try {
      return attempt();
    } catch (error) {
      if (!isSqliteError(error, "SQLITE_BUSY") || performance.now() >= endMs) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}
