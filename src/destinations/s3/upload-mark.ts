import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { JobTag } from "../../contracts/destination.ts";
import { RECORD_FOLDER } from "../names.ts";
import { parsePartialName, partialName } from "../partial-name.ts";
import type { Store } from "./store.ts";
import { encryptionOf } from "./target.ts";

/** Below `.lifeboat/`: empty objects whose names say which job's process has an unfinished upload of which name. */
export const UPLOADS_FOLDER = `${RECORD_FOLDER}/uploads/`;

/** Where a mark of an upload of `key` may lie: the upload itself can't say whose it is. */
export function markKey(store: Store, key: string, owner: JobTag): string {
  return `${store.prefix}${UPLOADS_FOLDER}${partialName(componentOf(store, key), owner)}`;
}

/** What the name of a mark says about the key that it is for. */
export function stemOf(store: Store, key: string): string | undefined {
  const anybody = { host: "", job: "" };
  return parsePartialName(partialName(componentOf(store, key), anybody))?.stem;
}

function componentOf(store: Store, key: string): string {
  return key.slice(store.prefix.length).replaceAll("/", "%2F");
}

/**
 * Written before the upload begins, so that there is no moment at which a kill would leave an upload of nobody. Without the
 * permission to write it, what a kill leaves goes after seven days instead of at once.
 */
export async function writeMark(store: Store, key: string, signal: AbortSignal): Promise<void> {
  const command = new PutObjectCommand({
    Bucket: store.options.bucket,
    Key: key,
    Body: Buffer.alloc(0),
    ContentMD5: "1B2M2Y8AsgTpgAmY7PhCfg==",
    ...encryptionOf(store.options),
  });
  await store.connection.run((client) => client.send(command, { abortSignal: signal })).catch(() => undefined);
}

export async function removeMark(store: Store, key: string, signal: AbortSignal): Promise<void> {
  const command = new DeleteObjectCommand({ Bucket: store.options.bucket, Key: key });
  await store.connection.run((client) => client.send(command, { abortSignal: signal }));
}
