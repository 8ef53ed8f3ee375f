import type { BlobItem } from "@azure/storage-blob";
import type { Area, StoredObject } from "../../contracts/destination.ts";
import { isListed, RECORD_FOLDER } from "../names.ts";
import type { Store } from "./store.ts";

const PAGE_BLOBS = 5_000;

/** Finished blobs of an area, page by page. Only direct children for `archive`, everything below for `record`. */
export async function* listArea(
  store: Store,
  area: Area,
  signal: AbortSignal,
  pageBlobs: number = PAGE_BLOBS,
): AsyncGenerator<StoredObject> {
  const prefix = area === "archive" ? store.prefix : `${store.prefix}${RECORD_FOLDER}/`;
  let token: string | undefined;
  do {
    const asked = token;
    const page = await store.small(`cannot list ${store.label}`, signal, (small) =>
      pageOf(store, area, prefix, asked, pageBlobs, small),
    );
    for (const { name: full, properties } of page.blobs) {
      const name = full.slice(prefix.length);
      if (!full.startsWith(prefix) || name === "" || name.split("/").some((part) => !isListed(area, part))) continue;
      const { contentLength, lastModified } = properties as Partial<typeof properties>;
      // Without a time it counts as new: retention must not take it for very old.
      yield { name, sizeBytes: contentLength ?? 0, storedAt: lastModified?.getTime() ?? Date.now() };
    }
    token = page.token === "" || page.token === asked ? undefined : page.token;
  } while (token !== undefined);
}

interface Page {
  readonly blobs: readonly BlobItem[];
  readonly token: string | undefined;
}

async function pageOf(
  { container }: Store,
  area: Area,
  prefix: string,
  token: string | undefined,
  pageBlobs: number,
  abortSignal: AbortSignal,
): Promise<Page> {
  const options = { prefix, abortSignal };
  const settings = { maxPageSize: pageBlobs, ...(token === undefined ? {} : { continuationToken: token }) };
  const pages =
    area === "archive"
      ? container.listBlobsByHierarchy("/", options).byPage(settings)
      : container.listBlobsFlat(options).byPage(settings);
  for await (const page of pages) return { blobs: page.segment.blobItems, token: page.continuationToken };
  return { blobs: [], token: undefined };
}
