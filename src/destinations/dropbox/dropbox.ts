import type { Area, Destination, StoredObject } from "../../contracts/destination.ts";
import { DestinationError } from "../../lib/errors.ts";
import { printablePath } from "../../lib/printable.ts";
import { type Attempts, createAttempts } from "../attempts.ts";
import { componentsOf, RECORD_FOLDER } from "../names.ts";
import { endpointOf } from "../proxy.ts";
import { createApi } from "./api.ts";
import { planBlocks } from "./blocks.ts";
import { attempted } from "./failures.ts";
import { listFolder, seeFolder } from "./listing.ts";
import type { DropboxOptions } from "./options.ts";
import { folderPath, refusedBecause } from "./paths.ts";
import { lookUp, openForReading } from "./reading.ts";
import { upload } from "./upload.ts";

/** `check` waits for an answer; a delivery can wait longer. */
const CONNECT_ATTEMPTS = 3;

/** A folder in a Dropbox (or in an app's own folder) as a destination. Failures are `DestinationError`s. */
export function createDropboxDestination(options: DropboxOptions): Destination {
  const folder = folderPath(options.remotePath);
  const label = `dropbox:${printablePath(folder === "" ? "/" : folder)}`;
  const api = createApi(options);
  const { silenceMs } = api.limits;
  const attemptsFor = (signal: AbortSignal, attempts?: number): Attempts =>
    createAttempts({ signal, silenceMs, ...(attempts === undefined ? {} : { attempts }) });

  const pathOf = (area: Area, name: string): string => {
    const components = componentsOf(area, name);
    for (const component of components) {
      const why = refusedBecause(component);
      if (why === undefined) continue;
      throw new DestinationError("invalid", `"${printablePath(name)}" cannot be stored in Dropbox: it ${why}`, {
        hint: "change BACKUP_FILENAME",
      });
    }
    return [folder, ...(area === "record" ? [RECORD_FOLDER] : []), ...components].join("/");
  };

  return {
    kind: "dropbox",
    label,
    ...endpointOf(new URL(options.endpoints.api)),
    connect: (signal) =>
      describing(
        `cannot use ${label}`,
        seeFolder(folder, { api, attempts: attemptsFor(signal, CONNECT_ATTEMPTS), signal }),
      ),
    async put(name, body, { area, signal, onProgress }): Promise<StoredObject> {
      const attempt = `cannot store ${printablePath(name)} in ${label}`;
      const path = pathOf(area, name);
      signal.throwIfAborted();
      const stored = await describing(
        attempt,
        upload(path, body, {
          api,
          plan: planBlocks(options.concurrency),
          signal,
          attemptsFor,
          lookUp: (at) => lookUp(at, api, signal),
          ...(onProgress === undefined ? {} : { onProgress }),
        }),
      );
      return { name, sizeBytes: stored.sizeBytes, storedAt: stored.storedAt, verified: "sha256" };
    },
    async *list(area, signal) {
      const below = area === "record" ? `${folder}/${RECORD_FOLDER}` : folder;
      try {
        yield* listFolder(below, area, { api, attempts: attemptsFor(signal), signal });
      } catch (error) {
        throw attempted(error, `cannot list ${label}`);
      }
    },
    async get(area, name, range, signal) {
      const attempt = `cannot read ${printablePath(name)} in ${label}`;
      const path = pathOf(area, name);
      signal.throwIfAborted();
      return await describing(attempt, openForReading(path, range, { api, attempts: attemptsFor(signal), signal }));
    },
    async remove(area, name, signal) {
      const attempt = `cannot remove ${printablePath(name)} from ${label}`;
      const path = pathOf(area, name);
      signal.throwIfAborted();
      const removing = attemptsFor(signal).call(() => api.client.filesDeleteV2({ path }, { signal }));
      await describing(attempt, removing).catch((error: unknown) => {
        if (!(error instanceof DestinationError) || error.code !== "not-found") throw error;
      });
    },
    async removeLeftovers(_owner, signal) {
      signal.throwIfAborted();
      // What an aborted upload leaves is a session, which nobody sees and which Dropbox drops after seven days.
      return 0;
    },
    close: () => api.close(),
  };
}

async function describing<T>(attempt: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw attempted(error, attempt);
  }
}
