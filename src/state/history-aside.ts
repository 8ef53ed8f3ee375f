import fs from "node:fs";
import path from "node:path";

const KEPT = 3;
const COMPANIONS = ["", "-wal", "-shm", "-journal"];

/**
 * Renames a damaged database with its companions to `history.db.damaged-<time>` and keeps the newest three of such.
 * Returns the new name; undefined where another process was faster (the file is not the one that was found damaged).
 * Throws the system's error where the folder can't be written.
 */
export function setAside(
  file: string,
  damaged: { readonly dev: bigint; readonly ino: bigint },
  nowMs: number,
): string | undefined {
  const stat = fs.lstatSync(file, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined || stat.dev !== damaged.dev || stat.ino !== damaged.ino) return undefined;
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  let aside = `${file}.damaged-${time}`;
  for (let n = 2; fs.existsSync(aside); n += 1) aside = `${file}.damaged-${time}-${n}`;
  // The companions first: a new database must not be met by the log of the old one.
  for (const suffix of COMPANIONS.toReversed()) {
    if (fs.existsSync(file + suffix)) fs.renameSync(file + suffix, aside + suffix);
  }
  removeOldest(file);
  return path.basename(aside);
}

function removeOldest(file: string): void {
  const prefix = `${path.basename(file)}.damaged-`;
  const folder = path.dirname(file);
  const asides = fs
    .readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && /^\d{8}T\d{6}Z(-\d+)?$/.test(name.slice(prefix.length)))
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  for (const name of asides.slice(0, -KEPT)) {
    for (const suffix of COMPANIONS) fs.rmSync(path.join(folder, name + suffix), { force: true });
  }
}
