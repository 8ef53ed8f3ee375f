import type { FileEntryWithStats, Stats } from "ssh2";
import type { Area, StoredObject } from "../../contracts/destination.ts";
import { DEEPEST_RECORD_LEVELS, isListed, RECORD_FOLDER } from "../names.ts";
import { isMissing, SFTP_STATUS, statusOf } from "./errors.ts";
import { lookAt } from "./folders.ts";
import { below } from "./paths.ts";
import type { Session } from "./session.ts";

export interface Entry {
  readonly name: string;
  readonly path: string;
  readonly stat: Stats;
}

/** A folder's direct children, batch by batch as the server gives them; nothing for a missing folder. */
export async function* readFolder(
  session: Session,
  folder: string,
  signal: AbortSignal,
): AsyncGenerator<Entry, void, void> {
  let handle: Buffer;
  try {
    handle = await session.request<Buffer>((done) => session.sftp.opendir(folder, done));
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  try {
    while (true) {
      signal.throwIfAborted();
      const batch = await nextBatch(session, handle);
      if (batch === undefined) return;
      for (const { filename, attrs } of batch) {
        // Names that are not UTF-8 come with replacement characters; no name of ours has them.
        if (filename === "." || filename === ".." || filename.includes("/") || filename.includes("\uFFFD")) continue;
        const path = below(folder, filename);
        // Some servers send no type with the names.
        const stat = attrs.mode === undefined || (attrs.mode & 0o170_000) === 0 ? await lookAt(session, path) : attrs;
        if (stat !== undefined) yield { name: filename, path, stat: withTests(stat, attrs) };
      }
    }
  } finally {
    if (session.death === undefined)
      await session
        .request<unknown>((done) => session.sftp.close(handle, (error) => done(error, undefined)))
        .catch(() => undefined);
  }
}

async function nextBatch(session: Session, handle: Buffer): Promise<readonly FileEntryWithStats[] | undefined> {
  try {
    // The types know only of paths here; a handle gives the next batch.
    return await session.request<FileEntryWithStats[]>((done) => session.sftp.readdir(handle, done));
  } catch (error) {
    if (statusOf(error) === SFTP_STATUS.endOfFile) return undefined;
    throw error;
  }
}

function withTests(stat: Stats, attrs: Stats): Stats {
  return typeof stat.isFile === "function" ? stat : attrs;
}

/** Regular files only: the folder's direct children, or everything below `.lifeboat/`. */
export async function* listObjects(
  session: Session,
  root: string,
  area: Area,
  signal: AbortSignal,
): AsyncGenerator<StoredObject, void, void> {
  if (area === "archive") yield* listLevel(session, root, area, "", 1, signal);
  else yield* listLevel(session, below(root, RECORD_FOLDER), area, "", 1, signal);
}

async function* listLevel(
  session: Session,
  folder: string,
  area: Area,
  prefix: string,
  level: number,
  signal: AbortSignal,
): AsyncGenerator<StoredObject, void, void> {
  for await (const { name, path, stat } of readFolder(session, folder, signal)) {
    if (stat.isFile()) {
      if (isListed(area, name)) yield { name: prefix + name, sizeBytes: stat.size, storedAt: stat.mtime * 1000 };
    } else if (area === "record" && stat.isDirectory() && level < DEEPEST_RECORD_LEVELS) {
      yield* listLevel(session, path, area, `${prefix}${name}/`, level + 1, signal);
    }
  }
}

/** Every folder that objects of ours may lie in, the root first. */
export async function* ownFolders(
  session: Session,
  root: string,
  signal: AbortSignal,
): AsyncGenerator<string, void, void> {
  yield root;
  yield* foldersBelow(session, below(root, RECORD_FOLDER), 1, signal);
}

async function* foldersBelow(
  session: Session,
  folder: string,
  level: number,
  signal: AbortSignal,
): AsyncGenerator<string, void, void> {
  yield folder;
  if (level >= DEEPEST_RECORD_LEVELS) return;
  for await (const { path, stat } of readFolder(session, folder, signal))
    if (stat.isDirectory()) yield* foldersBelow(session, path, level + 1, signal);
}
