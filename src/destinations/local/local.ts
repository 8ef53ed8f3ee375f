import { stat } from "node:fs/promises";
import * as path from "node:path";
import type { ArchiveSource } from "../../contracts/archive.ts";
import type { Area, Destination, JobTag, PutOptions, Stage, StoredObject } from "../../contracts/destination.ts";
import { orAborted } from "../../lib/abortable.ts";
import { DestinationError, systemCode } from "../../lib/errors.ts";
import { printablePath } from "../../lib/printable.ts";
import { toLocalError } from "./errors.ts";
import { checkSpace } from "./free-space.ts";
import { pointLatestAt } from "./latest-link.ts";
import { removeLeftoversIn } from "./leftovers.ts";
import { listFolder } from "./listing.ts";
import { componentsOf } from "../names.ts";
import { openParent } from "./object-folder.ts";
import { createPartial, type PartialFile } from "./partial.ts";
import { openForReading } from "./reading.ts";
import { removeFile } from "./removing.ts";
import { writeAll } from "./writing.ts";

export interface LocalOptions {
  /** Where archives are kept. Never created: a missing one is an error of each call that writes. */
  readonly folder: string;
  /** Name of a symbolic link in the folder that always points at the newest archive. */
  readonly latestSymlink?: string;
  /** Default: `local:` and the folder. */
  readonly label?: string;
  /** What went wrong beside a delivery that itself succeeded (the link). */
  onWarning?(text: string): void;
}

/** A folder on a mounted volume as a destination. Failures are `DestinationError`s; see each method's contract. */
export function createLocalDestination(options: LocalOptions): Destination {
  const folder = path.resolve(options.folder);
  const label = options.label ?? `local:${folder}`;

  const begin = async (area: Area, name: string, owner: JobTag): Promise<PartialFile> => {
    const components = componentsOf(area, name);
    await requireFolder(folder);
    const parent = await openParent(folder, area, components, true);
    return await createPartial(parent, components.at(-1) ?? "", owner, area === "archive" ? "archives" : "anything");
  };

  const finish = async (area: Area, name: string, partial: PartialFile, owner: JobTag): Promise<StoredObject> => {
    const published = await partial.publish();
    if (area === "archive" && options.latestSymlink !== undefined) {
      const problem = await pointLatestAt(folder, options.latestSymlink, name, owner);
      if (problem !== undefined) options.onWarning?.(problem);
    }
    return { name, ...published, verified: "size" };
  };

  const put = async (name: string, body: ArchiveSource, putOptions: PutOptions): Promise<StoredObject> => {
    const { area, owner, signal } = putOptions;
    const attempt = `cannot store ${printablePath(name)} in ${folder}`;
    signal.throwIfAborted();
    const partial = await translated(attempt, begin(area, name, owner));
    try {
      // A record is small, and wanted most when a disk is full.
      if (area === "archive") await checkSpace(folder, body.sizeBytes ?? body.estimateBytes, 0);
      const { sizeBytes } = await writeAll(body.read(0, signal), {
        handle: partial.handle,
        folder,
        signal,
        onWritten: (bytes) => {
          body.release(bytes);
          putOptions.onProgress?.(bytes);
        },
      });
      const expected = await orAborted(body.finished, signal);
      const { size } = await translated(attempt, partial.handle.stat());
      if (sizeBytes !== expected.sizeBytes || size !== expected.sizeBytes) {
        throw new DestinationError("unavailable", `${attempt}: ${size} bytes arrived instead of ${expected.sizeBytes}`);
      }
      signal.throwIfAborted();
      return await translated(attempt, finish(area, name, partial, owner));
    } finally {
      await discardQuietly(partial);
    }
  };

  return {
    kind: "local",
    label,
    folder,
    connect: () => translated(`cannot use ${folder}`, requireFolder(folder)),
    put,
    list: (area, signal) => listFolder(folder, area, signal),
    get: (area, name, range, signal) => openForReading(folder, area, name, range, signal),
    remove: (area, name, signal) => removeFile(folder, area, name, signal),
    removeLeftovers: (owner, signal) => removeLeftoversIn(folder, owner, signal),
    async stage(name, owner): Promise<Stage> {
      const attempt = `cannot store ${printablePath(name)} in ${folder}`;
      const partial = await translated(attempt, begin("archive", name, owner));
      return {
        path: partial.path,
        async publish() {
          const stored = await translated(attempt, finish("archive", name, partial, owner));
          await discardQuietly(partial);
          return stored;
        },
        discard: () => translated(`cannot remove an unfinished file in ${folder}`, partial.discard()),
      };
    },
    async close() {
      // Nothing is kept open between calls.
    },
  };
}

/** In words that name the setting: this is what a forgotten mount looks like. */
async function requireFolder(folder: string): Promise<void> {
  const hint = "mount a volume there, or correct BACKUP_ARCHIVE";
  try {
    if ((await stat(folder)).isDirectory()) return;
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
    throw new DestinationError("not-found", `the archive folder ${folder} does not exist`, { hint, cause: error });
  }
  throw new DestinationError("invalid", `the archive folder ${folder} is not a folder`, { hint });
}

async function translated<T>(attempt: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw toLocalError(error, attempt);
  }
}

/** For where an outcome is known already: a file that cannot be removed now is a leftover for the next run. */
async function discardQuietly(partial: PartialFile): Promise<void> {
  await partial.discard().catch(() => undefined);
}
