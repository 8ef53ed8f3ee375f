import type { files } from "dropbox";
import type { Area, StoredObject } from "../../contracts/destination.ts";
import { DestinationError } from "../../lib/errors.ts";
import type { Attempts } from "../attempts.ts";
import { DEEPEST_RECORD_LEVELS, isListed } from "../names.ts";
import type { Api } from "./api.ts";
import { DropboxFailure } from "./failures.ts";
import { strange } from "./upload.ts";

export interface ListOptions {
  readonly api: Api;
  readonly attempts: Attempts;
  readonly signal: AbortSignal;
}

/** How often a listing that Dropbox breaks off is begun anew. */
const MOST_RESETS = 3;

/** The files of a folder; those of `record` at any depth. A folder that is not there has none. */
export async function* listFolder(folder: string, area: Area, options: ListOptions): AsyncGenerator<StoredObject> {
  const seen = new Set<string>();
  for (let resets = 0; ; resets += 1) {
    try {
      for await (const object of listOnce(folder, area, options)) {
        if (seen.has(object.name)) continue;
        seen.add(object.name);
        yield object;
      }
      return;
    } catch (error) {
      // The cursor is no good any more, and no other call of the same kind helps.
      if (!isReset(error) || resets === MOST_RESETS) throw error;
    }
  }
}

async function* listOnce(folder: string, area: Area, options: ListOptions): AsyncGenerator<StoredObject> {
  const { api, attempts, signal } = options;
  const { client } = api;
  let page: files.ListFolderResult | undefined;
  try {
    const arg = { path: folder, recursive: area === "record", include_non_downloadable_files: false };
    page = (await attempts.call(() => client.filesListFolder(arg, { signal }))).result;
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  while (true) {
    if (!Array.isArray(page?.entries)) throw strange("a folder's content");
    for (const entry of page.entries) {
      const object = entry[".tag"] === "file" ? objectOf(entry, folder, area) : undefined;
      if (object !== undefined) yield object;
    }
    if (!page.has_more) return;
    const cursor: string = page.cursor;
    const next = await attempts.call(() =>
      client.filesListFolderContinue({ cursor }, { signal }).catch((error: unknown) => {
        if (isReset(error)) return error;
        throw error;
      }),
    );
    if (next instanceof Error) throw next;
    page = next.result;
  }
}

function isReset(error: unknown): error is DropboxFailure {
  return error instanceof DropboxFailure && error.tag === "reset";
}

/** Proves that the folder can be seen, or that nothing is there yet. */
export async function seeFolder(folder: string, { api, attempts, signal }: ListOptions): Promise<void> {
  try {
    await attempts.call(() => api.client.filesListFolder({ path: folder, limit: 1 }, { signal }));
  } catch (error) {
    // A token that may only write is good practice; that it was accepted is all that can be known.
    const isAccepted = error instanceof DropboxFailure && error.tag === "missing_scope";
    if (!isAccepted && !isMissing(error)) throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof DestinationError && error.code === "not-found";
}

function objectOf(file: files.FileMetadataReference, folder: string, area: Area): StoredObject | undefined {
  const name = area === "archive" ? file.name : below(file.path_display ?? file.path_lower, folder);
  const storedAt = Date.parse(file.server_modified);
  if (typeof name !== "string" || typeof file.size !== "number" || Number.isNaN(storedAt)) return undefined;
  const components = name.split("/");
  if (components.length > DEEPEST_RECORD_LEVELS || !components.every((component) => isListed(area, component)))
    return undefined;
  return { name, sizeBytes: file.size, storedAt };
}

/** Compared by length: Dropbox shows a folder in the case in which it was made. */
function below(path: string | undefined, folder: string): string | undefined {
  return path?.slice(folder.length + 1);
}
