import type { ArchiveSource } from "../../contracts/archive.ts";
import type { PutOptions, StoredObject } from "../../contracts/destination.ts";
import { sleep } from "../../lib/clock.ts";
import { formatBytes } from "../../lib/bytes.ts";
import { DestinationError, messageOf } from "../../lib/errors.ts";
import { printablePath } from "../../lib/printable.ts";
import { createAttempts } from "../attempts.ts";
import { partialName } from "../partial-name.ts";
import type { DavClient } from "./client.ts";
import { FULL_HINT } from "./errors.ts";
import { type DavPath, encodePath, placeOf } from "./paths.ts";
import { publish } from "./publish.ts";
import { type Asking, lookAt, makeFolders, removeResource } from "./resources.ts";
import { awaitLength, NeedsLength, SourceFailure, uploadOnce } from "./upload.ts";

/** What the removal of unfinished files may take; a run that is told to end has a second for everything. */
const CLEAN_UP_MS = 5_000;
const ABORTED_CLEAN_UP_MS = 700;
const SETTLE_MS = 250;
/** An upload that fails this early begins anew, wherever the archive waits; a later one only where all of it is on disk. */
const KEPT_BYTES = 16 * 1024 * 1024;
/** What may still wait in this process's buffers when it counts as sent: a socket takes no more than a few pieces. */
const UNSENT_BYTES = 1024 * 1024;

export interface PutterOptions {
  readonly client: DavClient;
  readonly root: DavPath;
  readonly label: string;
  readonly silenceMs: number | undefined;
}

interface Sent {
  readonly path: DavPath;
  readonly sizeBytes: number;
}

type Put = (name: string, body: ArchiveSource, options: PutOptions) => Promise<StoredObject>;

export function createPutter({ client, root, label, silenceMs }: PutterOptions): Put {
  /** Folders that were there a moment ago. */
  const ready = new Set<string>();

  const prepare = async (asking: Asking, folder: DavPath, target: DavPath, needed: number): Promise<void> => {
    const key = encodePath(folder, "folder");
    if (!ready.has(key) || needed > 0) {
      const { freeBytes } = await makeFolders(asking, folder);
      ready.add(key);
      if (freeBytes !== undefined && freeBytes < needed) {
        throw new DestinationError(
          "full",
          `${asking.attempt}: ${formatBytes(freeBytes)} free, about ${formatBytes(needed)} needed`,
          { hint: FULL_HINT },
        );
      }
    }
    // Renaming over a folder would remove all that is in it.
    if ((await lookAt(asking, target, "file"))?.isCollection === true) {
      throw new DestinationError("invalid", `${encodePath(target, "file")} on the server is a folder`, {
        hint: "it is left alone: remove it, or change BACKUP_FILENAME",
      });
    }
  };

  return async (name, body, { area, owner, signal, onProgress }) => {
    const { folder, base } = placeOf(root, area, name);
    const asking: Asking = { client, signal, attempt: `cannot store ${printablePath(name)} in ${label}` };
    signal.throwIfAborted();
    const target = [...folder, base];
    const attempts = createAttempts({ signal, ...(silenceMs === undefined ? {} : { silenceMs }) });
    const begun: DavPath[] = [];
    let mostSent = 0;
    const onSent = (total: number): void => {
      // What is sent again moves nothing on, as long as it may only have filled buffers on the way to a store that is dead.
      if (total > mostSent || total > KEPT_BYTES) {
        mostSent = Math.max(mostSent, total);
        attempts.progressed();
        onProgress?.(mostSent);
      }
      if (total > KEPT_BYTES) body.release(total - UNSENT_BYTES);
    };
    let earlier: DestinationError | undefined;
    /** Under a name of its own each time: a server may still be busy with an earlier one. */
    const send = async (): Promise<Sent> => {
      const path = [...folder, partialName(base, owner)];
      begun.push(path);
      try {
        return { path, sizeBytes: await uploadOnce(asking, { body, path, folder, onSent }) };
      } catch (error) {
        const reason = withReason(error, earlier);
        if (error instanceof DestinationError) earlier = error;
        throw reason;
      }
    };
    const sendWhole = async (): Promise<Sent> => {
      try {
        return await send();
      } catch (error) {
        if (!(error instanceof NeedsLength)) throw error;
      }
      earlier = new DestinationError("invalid", `${asking.attempt}: the server stores no body of unknown length`);
      await awaitLength(body, signal).catch((error: unknown) => {
        throw withReason(error, earlier);
      });
      return await send();
    };
    // A record is small, and wanted most when a disk is full.
    const needed = area === "archive" ? (body.sizeBytes ?? body.estimateBytes) : 0;
    try {
      await attempts.call(() => prepare(asking, folder, target, needed));
      const sent = await attempts.call(sendWhole);
      let isRepeated = false;
      const published = await attempts.call(async () => {
        const repeated = isRepeated;
        isRepeated = true;
        return await publish(asking, sent.path, target, sent.sizeBytes, repeated);
      });
      await removeQuietly(
        asking,
        begun.filter((path) => path !== sent.path),
        CLEAN_UP_MS,
      );
      return { name, ...published, verified: "size" };
    } catch (error) {
      if (error instanceof DestinationError && error.code === "not-found") ready.clear();
      await removeQuietly(asking, begun, signal.aborted ? ABORTED_CLEAN_UP_MS : CLEAN_UP_MS);
      throw error;
    }
  };
}

/** What the archive itself failed with; where it just can't be read a second time, why it had to be. */
function withReason(error: unknown, earlier: DestinationError | undefined): unknown {
  if (!(error instanceof SourceFailure)) return error;
  if (earlier === undefined || !error.isAtStart) return error.cause;
  return new DestinationError(earlier.code, `${earlier.message}; it can't be sent again: ${messageOf(error.cause)}`, {
    hint: "set BACKUP_STAGING=disk, so that an upload can begin anew",
    isFinal: true,
    cause: earlier,
  });
}

/** The outcome is known already: what can't be removed now is a leftover for the next run. */
async function removeQuietly(asking: Asking, paths: readonly DavPath[], patienceMs: number): Promise<void> {
  if (paths.length === 0) return;
  const signal = AbortSignal.timeout(patienceMs);
  const removeAll = (): Promise<unknown> =>
    Promise.allSettled(paths.map((path) => removeResource({ ...asking, signal }, path)));
  await removeAll();
  // A server that notices a cut upload only now may just have made its file.
  await sleep(SETTLE_MS, signal).catch(() => undefined);
  await removeAll();
}
