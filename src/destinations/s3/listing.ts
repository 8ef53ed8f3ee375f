import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import type { Area, StoredObject } from "../../contracts/destination.ts";
import { DestinationError } from "../../lib/errors.ts";
import { isListed, RECORD_FOLDER } from "../names.ts";
import type { Store } from "./store.ts";

export interface ListedKey {
  readonly key: string;
  readonly sizeBytes: number;
  readonly modifiedAt: number;
}

/** Finished objects of an area, page by page. Only direct children for `archive`, everything below for `record`. */
export async function* listArea(store: Store, area: Area, signal: AbortSignal): AsyncGenerator<StoredObject> {
  const prefix = area === "archive" ? store.prefix : `${store.prefix}${RECORD_FOLDER}/`;
  for await (const { key, sizeBytes, modifiedAt } of listKeys(store, prefix, area === "archive", signal)) {
    const name = key.slice(prefix.length);
    // Some tools mark a folder by an empty object whose name ends in a slash.
    if (name === "" || name.endsWith("/") || name.split("/").some((part) => !isListed(area, part))) continue;
    yield { name, sizeBytes, storedAt: modifiedAt };
  }
}

/** Every object whose key begins with `prefix`; `isFlat`: those without a further slash. */
export async function* listKeys(
  store: Store,
  prefix: string,
  isFlat: boolean,
  signal: AbortSignal,
): AsyncGenerator<ListedKey> {
  let token: string | undefined;
  do {
    const asked = token;
    const page: ListObjectsV2CommandOutput = await store.small(`cannot list ${store.label}`, signal, (abortSignal) =>
      store.connection.run((client) =>
        client.send(
          new ListObjectsV2Command({
            Bucket: store.options.bucket,
            Prefix: prefix,
            EncodingType: "url",
            ...(isFlat ? { Delimiter: "/" } : {}),
            ...(asked === undefined ? {} : { ContinuationToken: asked }),
          }),
          { abortSignal },
        ),
      ),
    );
    checkIsListing(page, `cannot list ${store.label}`);
    for (const { Key, Size, LastModified } of page.Contents ?? []) {
      const key = decodeKey(Key ?? "", page.EncodingType);
      // A store that ignores prefix or delimiter must not make foreign objects ours.
      if (!key.startsWith(prefix) || (isFlat && key.slice(prefix.length).includes("/"))) continue;
      // Without a time it counts as new: retention must not take it for very old.
      yield { key, sizeBytes: Size ?? 0, modifiedAt: LastModified?.getTime() ?? Date.now() };
    }
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    if (page.IsTruncated === true && (token === undefined || token === asked)) {
      throw new DestinationError("unavailable", `cannot list ${store.label}: the store gives no further page`, {
        hint: "check that AWS_ENDPOINT speaks S3 (ListObjectsV2)",
      });
    }
  } while (token !== undefined);
}

/** A web page can be read as an empty listing. */
export function checkIsListing(page: ListObjectsV2CommandOutput, attempt: string): void {
  if (page.Name !== undefined || page.KeyCount !== undefined || page.Prefix !== undefined) return;
  throw new DestinationError("unavailable", `${attempt}: the answer is no listing of a bucket`, {
    hint: "check that AWS_ENDPOINT speaks S3",
  });
}

/** A listing in XML can't hold every character, so keys come percent-encoded where the store says so. */
export function decodeKey(key: string, encoding: string | undefined): string {
  if (encoding !== "url") return key;
  try {
    return decodeURIComponent(key.replaceAll("+", "%20"));
  } catch {
    // Not encoded after all.
    return key;
  }
}
