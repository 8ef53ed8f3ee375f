import { DestinationError } from "../../lib/errors.ts";
import type { DavClient } from "./client.ts";
import { parseMultistatus, PROPFIND_BODY, type Resource } from "./multistatus.ts";
import { type DavPath, encodePath, samePath } from "./paths.ts";

/** Tens of thousands of entries; no server sends more without something being wrong. */
const MOST_LISTING_BYTES = 64 * 1024 * 1024;

export interface Asking {
  readonly client: DavClient;
  readonly signal: AbortSignal;
  readonly attempt: string;
}

/** What the server knows of one resource; undefined where it is missing. */
export async function lookAt(asking: Asking, path: DavPath, kind: "file" | "folder"): Promise<Resource | undefined> {
  const found = await propfind(asking, encodePath(path, kind), "0");
  return found?.[0];
}

/** The direct children of a folder, without itself; undefined where it is missing. */
export async function listFolder(asking: Asking, folder: DavPath): Promise<readonly Resource[] | undefined> {
  const found = await propfind(asking, encodePath(folder, "folder"), "1");
  if (found === undefined) return undefined;
  const self = ownPath(found, folder);
  return found.filter(({ path }) => path.length === self.length + 1 && samePath(path.slice(0, -1), self));
}

/** Behind some proxies a server knows itself under another path than the one that was asked for. */
function ownPath(found: readonly Resource[], asked: DavPath): DavPath {
  if (found.some(({ path }) => samePath(path, asked))) return asked;
  const collections = found.filter(({ isCollection }) => isCollection);
  const shortest = collections.toSorted((a, b) => a.path.length - b.path.length)[0];
  if (shortest !== undefined && found.every((one) => one === shortest || one.path.length > shortest.path.length))
    return shortest.path;
  // Without the folder itself in the answer, all are its children.
  return found[0]?.path.slice(0, -1) ?? asked;
}

async function propfind(asking: Asking, path: string, depth: "0" | "1"): Promise<readonly Resource[] | undefined> {
  const { client, signal, attempt } = asking;
  const answer = await client.text(
    {
      method: "PROPFIND",
      path,
      headers: { Depth: depth, "Content-Type": "application/xml; charset=utf-8", Accept: "application/xml, text/xml" },
      body: Buffer.from(PROPFIND_BODY),
      signal,
      attempt,
    },
    MOST_LISTING_BYTES,
  );
  if (answer.status === 404 || answer.status === 410) return undefined;
  if (answer.status >= 300 || answer.status < 200) throw answer.refusal();
  const found = parseMultistatus(answer.text, path);
  if (found !== undefined) return found;
  const what = `HTTP ${answer.status} with ${answer.contentType === "" ? "something" : answer.contentType.split(";")[0]}`;
  throw new DestinationError(
    answer.status === 207 ? "unavailable" : "invalid",
    `${attempt}: the server answered ${what} instead of a WebDAV listing`,
    { hint: "is WEBDAV_URL the address of WebDAV itself, with its whole path?" },
  );
}

/** Makes a folder and those above it that are missing, level by level. Gives what the server says of it. */
export async function makeFolders(asking: Asking, folder: DavPath): Promise<Resource> {
  const there = await lookAt(asking, folder, "folder");
  if (there !== undefined) return requireCollection(there, folder);
  const { base } = asking.client;
  for (let level = base.length + 1; level <= folder.length; level += 1) {
    const path = encodePath(folder.slice(0, level), "folder");
    const { signal, attempt, client } = asking;
    const answer = await client.text({ method: "MKCOL", path, signal, attempt });
    // 405 and redirects: it is there. After any other refusal it may be there as well: above what the login may change, or
    // made by somebody else at this moment.
    const isFine = answer.status < 400 || answer.status === 405;
    if (!isFine && (await lookAt(asking, folder.slice(0, level), "folder")) === undefined) throw answer.refusal();
  }
  const made = await lookAt(asking, folder, "folder");
  if (made !== undefined) return requireCollection(made, folder);
  throw new DestinationError(
    "not-found",
    `${asking.attempt}: ${encodePath(folder, "folder")} is not there and can't be made`,
    {
      hint: "check WEBDAV_URL and WEBDAV_PATH",
    },
  );
}

export function requireCollection(resource: Resource, folder: DavPath): Resource {
  if (resource.isCollection) return resource;
  throw new DestinationError("invalid", `${encodePath(folder, "folder")} on the server is not a folder`, {
    hint: "correct WEBDAV_PATH",
  });
}

/** A missing one is success. */
export async function removeResource(asking: Asking, path: DavPath): Promise<void> {
  const { client, signal, attempt } = asking;
  const answer = await client.text({ method: "DELETE", path: encodePath(path, "file"), signal, attempt });
  if (answer.status === 404 || answer.status === 410 || (answer.status < 300 && answer.status !== 207)) return;
  // Where the folder itself is missing, some servers say "conflict".
  if (answer.status === 409 && (await lookAt(asking, path, "file")) === undefined) return;
  throw answer.refusal();
}
