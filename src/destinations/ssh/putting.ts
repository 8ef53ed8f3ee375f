import type { ArchiveSource } from "../../contracts/archive.ts";
import type { PutOptions, StoredObject } from "../../contracts/destination.ts";
import { orAborted } from "../../lib/abortable.ts";
import { formatBytes } from "../../lib/bytes.ts";
import { sleep } from "../../lib/clock.ts";
import { DestinationError } from "../../lib/errors.ts";
import { printablePath } from "../../lib/printable.ts";
import { createAttempts } from "../attempts.ts";
import { isTransient } from "../errors.ts";
import { partialName } from "../partial-name.ts";
import type { Connection } from "./connection.ts";
import { isMissing, translated } from "./errors.ts";
import { lookAt, makeFolders } from "./folders.ts";
import type { SshOptions } from "./options.ts";
import { below, placeOf } from "./paths.ts";
import { publish, removeFile } from "./publish.ts";
import type { Session } from "./session.ts";
import { freeBytes, fullError } from "./space.ts";
import { createUpload, type Upload } from "./upload.ts";

/** A session that brought an upload at least so much further was worth its connection: the count of attempts begins anew. */
const WORTH_BYTES = 256 * 1024;
const AFTER_CUT_MS = 1_000;
/** What the removal of an unfinished file may take; a run that is told to end has a second for everything. */
const CLEAN_UP_MS = 5_000;
const ABORTED_CLEAN_UP_MS = 700;

export interface PutterOptions {
  readonly connection: Connection;
  readonly root: string;
  readonly label: string;
  readonly options: SshOptions;
}

type Put = (name: string, body: ArchiveSource, options: PutOptions) => Promise<StoredObject>;

export function createPutter({ connection, root, label, options }: PutterOptions): Put {
  /** Folders that were there a moment ago. */
  const ready = new Set<string>();

  const prepare = async (session: Session, folder: string, base: string, needed: number): Promise<void> => {
    if (!ready.has(folder)) {
      await makeFolders(session, folder);
      ready.add(folder);
    }
    const there = await lookAt(session, below(folder, base));
    if (there !== undefined && !there.isFile()) {
      throw new DestinationError("invalid", `${below(folder, base)} on the server is not a regular file`, {
        hint: "it is left alone: remove it, or change BACKUP_FILENAME",
      });
    }
    if (needed === 0) return;
    const free = await freeBytes(session, folder);
    if (free !== undefined && free < needed) throw fullError(folder, free, `, about ${formatBytes(needed)} needed`);
  };

  return async (name, body, { area, owner, signal, onProgress }) => {
    const { folder, base } = placeOf(root, area, name);
    const attempt = `cannot store ${printablePath(name)} in ${label}`;
    signal.throwIfAborted();
    const partial = below(folder, partialName(base, owner));
    const { silenceMs } = options.limits ?? {};
    const attempts = createAttempts({ signal, ...(silenceMs === undefined ? {} : { silenceMs }) });
    const upload = createUpload({
      path: partial,
      folder,
      attempt,
      body,
      signal,
      concurrency: options.concurrency,
      onProgress(bytesSent) {
        attempts.progressed();
        onProgress?.(bytesSent);
      },
    });
    // A record is small, and wanted most when a disk is full.
    const needed = area === "archive" ? (body.sizeBytes ?? body.estimateBytes) : 0;
    try {
      await attempts.call(async () => {
        const session = await connection.session(signal);
        await orAborted(translated(attempt, prepare(session, folder, base, needed)), signal);
      });
      const sizeBytes = await uploadAll(upload, attempts.call, connection, signal);
      const published = await attempts.call(async () => {
        const session = await connection.session(signal);
        return await orAborted(translated(attempt, publish(session, { folder, base, partial }, sizeBytes)), signal);
      });
      return { name, ...published, verified: "size" };
    } catch (error) {
      if (isMissing(error) || (error instanceof DestinationError && error.code === "not-found")) ready.clear();
      if (upload.isBegun) await removeQuietly(connection, partial, signal.aborted);
      throw error;
    }
  };
}

/** Over as many sessions as it takes, as long as each brings it further. */
async function uploadAll(
  upload: Upload,
  call: <T>(work: () => Promise<T>) => Promise<T>,
  connection: Connection,
  signal: AbortSignal,
): Promise<number> {
  while (true) {
    const sizeBytes = await call(async () => {
      const session = await connection.session(signal);
      const before = upload.confirmedBytes;
      try {
        return await upload.run(session);
      } catch (error) {
        if (!isTransient(error) || upload.confirmedBytes - before < WORTH_BYTES) throw error;
        return undefined;
      }
    });
    if (sizeBytes !== undefined) return sizeBytes;
    await sleep(AFTER_CUT_MS, signal);
  }
}

/** The outcome is known already: a file that can't be removed now is a leftover for the next run. */
async function removeQuietly(connection: Connection, path: string, isAborted: boolean): Promise<void> {
  const patience = AbortSignal.timeout(isAborted ? ABORTED_CLEAN_UP_MS : CLEAN_UP_MS);
  try {
    const session = isAborted ? connection.live() : await connection.session(patience);
    if (session !== undefined) await orAborted(removeFile(session, path), patience);
  } catch {
    // Nobody is left to tell.
  }
}
