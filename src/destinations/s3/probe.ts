import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { DestinationError } from "../../lib/errors.ts";
import { isRefusal } from "./errors.ts";
import { checkIsListing } from "./listing.ts";
import type { Store } from "./store.ts";

/**
 * Resolves where the bucket is there and takes the credentials. A listing's refusal says why, unlike that of a HEAD. A known
 * key that may not list is good practice, and no failure.
 */
export async function probe(store: Store, attempt: string, signal: AbortSignal): Promise<void> {
  const command = new ListObjectsV2Command({ Bucket: store.options.bucket, Prefix: store.prefix, MaxKeys: 1 });
  try {
    const page = await store.small(attempt, signal, (abortSignal) =>
      store.connection.run((client) => client.send(command, { abortSignal })),
    );
    checkIsListing(page, attempt);
  } catch (error) {
    const mayOnlyWrite = error instanceof DestinationError && isRefusal(error.cause, "AccessDenied");
    if (!mayOnlyWrite) throw error;
  }
}
