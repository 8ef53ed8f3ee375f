import type { Area, StoredObject } from "../../contracts/destination.ts";
import { DEEPEST_RECORD_LEVELS, isListed, PARTIAL_SUFFIX, RECORD_FOLDER } from "../names.ts";
import type { RemotePartial } from "../remote-leftovers.ts";
import type { Resource } from "./multistatus.ts";
import type { DavPath } from "./paths.ts";
import { type Asking, listFolder } from "./resources.ts";

/** Files only: the folder's direct children, or everything below `.lifeboat/`. A missing folder lists nothing. */
export async function listObjects(asking: Asking, root: DavPath, area: Area): Promise<readonly StoredObject[]> {
  const found: StoredObject[] = [];
  const folder = area === "archive" ? root : [...root, RECORD_FOLDER];
  for await (const { resource, name } of walk(asking, folder, area === "record")) {
    const base = name.at(-1) ?? "";
    if (isListed(area, base)) found.push(objectOf(name.join("/"), resource));
  }
  return found;
}

/** Everything in the folder and below `.lifeboat/` that may be unfinished; paths are encoded as JSON, for the way back. */
export async function findPartials(asking: Asking, root: DavPath): Promise<readonly RemotePartial[]> {
  const found: RemotePartial[] = [];
  for (const [folder, isDeep] of [
    [root, false],
    [[...root, RECORD_FOLDER], true],
  ] as const) {
    for await (const { resource, name } of walk(asking, folder, isDeep)) {
      const base = name.at(-1) ?? "";
      if (!base.endsWith(PARTIAL_SUFFIX)) continue;
      const { sizeBytes, storedAt } = objectOf(base, resource);
      found.push({ name: base, path: JSON.stringify([...folder, ...name]), sizeBytes, modifiedAt: storedAt });
    }
  }
  return found;
}

interface Found {
  readonly resource: Resource;
  /** Components below the folder that the walk began at. */
  readonly name: DavPath;
}

/** Level by level: many servers refuse a listing of unlimited depth. */
async function* walk(
  asking: Asking,
  folder: DavPath,
  isDeep: boolean,
  below: DavPath = [],
): AsyncGenerator<Found, void, void> {
  for (const resource of (await listFolder(asking, [...folder, ...below])) ?? []) {
    asking.signal.throwIfAborted();
    const base = resource.path.at(-1) ?? "";
    if (base.includes("/") || base === "." || base === "..") continue;
    const name = [...below, base];
    if (!resource.isCollection) yield { resource, name };
    else if (isDeep && name.length < DEEPEST_RECORD_LEVELS) yield* walk(asking, folder, isDeep, name);
  }
}

function objectOf(name: string, { sizeBytes, modifiedAt }: Resource): StoredObject {
  // An archive of unknown age is taken for a new one: nothing is removed for that.
  return { name, sizeBytes: sizeBytes ?? 0, storedAt: modifiedAt ?? Date.now() };
}
