import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListPartsCommand,
  type ListPartsCommandOutput,
} from "@aws-sdk/client-s3";
import { DestinationError } from "../../lib/errors.ts";
import { ARCHIVE_ENDING, RECORD_FOLDER } from "../names.ts";
import { type Owner, ownerHash, parsePartialName } from "../partial-name.ts";
import { FOREIGN_LEFTOVER_MS, removeRemoteLeftovers, type RemotePartial } from "../remote-leftovers.ts";
import { isRefusal } from "./errors.ts";
import { decodeKey, listKeys } from "./listing.ts";
import type { Store } from "./store.ts";
import { removeMark, stemOf, UPLOADS_FOLDER } from "./upload-mark.ts";

interface Unfinished {
  readonly key: string;
  readonly uploadId: string;
  readonly initiatedAt: number;
}

/** Parts of a slow upload arrive far apart: whether one still lives is watched this long. */
const WATCH_MS = 15_000;

/**
 * Aborts what dead runs left: uploads that a mark gives to this job at once, those of nobody after seven days. A key that may
 * not list uploads sees none.
 */
export async function removeUnfinished(
  store: Store,
  owner: Owner,
  signal: AbortSignal,
  now: number = Date.now(),
): Promise<number> {
  try {
    const marked = await removeMarked(store, owner, signal, now);
    return marked + (await removeUnmarked(store, signal, now));
  } catch (error) {
    const isUnable =
      error instanceof DestinationError && (error.code === "denied" || isRefusal(error.cause, "NotImplemented"));
    if (isUnable) return 0;
    throw error;
  }
}

async function removeMarked(store: Store, owner: Owner, signal: AbortSignal, now: number): Promise<number> {
  const own = ownerHash(owner);
  const marks = (): Promise<RemotePartial[]> => findMarks(store, signal);
  return await removeRemoteLeftovers(
    {
      async find() {
        const found: RemotePartial[] = [];
        for (const mark of await marks()) {
          const isOwn = parsePartialName(mark.name)?.owner === own;
          found.push(isOwn ? { ...mark, ...(await signOfLife(store, mark, signal)) } : mark);
        }
        return found;
      },
      async remove(mark) {
        const stem = parsePartialName(mark.name)?.stem;
        const others = (await marks()).filter(
          ({ name, path }) => path !== mark.path && parsePartialName(name)?.stem === stem,
        );
        // Which of several uploads of one name is the dead one can't be told.
        if (others.length === 0)
          for (const upload of await uploadsOf(store, mark, signal)) await abort(store, upload, signal);
        await store.small(`cannot remove a mark in ${store.label}`, signal, (small) =>
          removeMark(store, mark.path, small),
        );
      },
    },
    owner,
    signal,
    { watchMs: WATCH_MS, now },
  );
}

async function removeUnmarked(store: Store, signal: AbortSignal, now: number): Promise<number> {
  const uploads = await listUploads(store, store.prefix, signal);
  const old = uploads.filter((upload) => now - upload.initiatedAt > FOREIGN_LEFTOVER_MS && hasOwnName(store, upload));
  if (old.length === 0) return 0;
  const stems = new Set((await findMarks(store, signal)).map((mark) => parsePartialName(mark.name)?.stem));
  const unmarked = old.filter((upload) => !stems.has(stemOf(store, upload.key)));
  for (const upload of unmarked) await abort(store, upload, signal);
  return unmarked.length;
}

async function findMarks(store: Store, signal: AbortSignal): Promise<RemotePartial[]> {
  const prefix = `${store.prefix}${UPLOADS_FOLDER}`;
  const found: RemotePartial[] = [];
  for await (const { key, sizeBytes, modifiedAt } of listKeys(store, prefix, true, signal)) {
    found.push({ name: key.slice(prefix.length), path: key, sizeBytes, modifiedAt });
  }
  return found;
}

/** MinIO lists the uploads of an exact key only, so the key that the mark names is asked for as well. */
async function uploadsOf(store: Store, mark: RemotePartial, signal: AbortSignal): Promise<readonly Unfinished[]> {
  const stem = parsePartialName(mark.name)?.stem ?? "";
  const isOf = (upload: Unfinished): boolean => stemOf(store, upload.key) === stem;
  const found = (await listUploads(store, store.prefix, signal)).filter(isOf);
  if (found.length > 0) return found;
  return (await listUploads(store, `${store.prefix}${stem.replaceAll("%2F", "/")}`, signal)).filter(isOf);
}

async function signOfLife(
  store: Store,
  mark: RemotePartial,
  signal: AbortSignal,
): Promise<{ sizeBytes: number; modifiedAt: number }> {
  let sizeBytes = 0;
  let { modifiedAt } = mark;
  for (const { key, uploadId } of await uploadsOf(store, mark, signal)) {
    let marker: string | undefined;
    do {
      const asked = marker;
      const page: ListPartsCommandOutput = await store.small(
        `cannot look at uploads in ${store.label}`,
        signal,
        (small) =>
          store.connection.run((client) =>
            client.send(
              new ListPartsCommand({
                Bucket: store.options.bucket,
                Key: key,
                UploadId: uploadId,
                ...(asked === undefined ? {} : { PartNumberMarker: asked }),
              }),
              { abortSignal: small },
            ),
          ),
      );
      for (const part of page.Parts ?? []) {
        sizeBytes += part.Size ?? 0;
        modifiedAt = Math.max(modifiedAt, part.LastModified?.getTime() ?? 0);
      }
      marker = page.IsTruncated === true && page.NextPartNumberMarker !== asked ? page.NextPartNumberMarker : undefined;
    } while (marker !== undefined);
  }
  return { sizeBytes, modifiedAt };
}

async function listUploads(store: Store, prefix: string, signal: AbortSignal): Promise<readonly Unfinished[]> {
  const found: Unfinished[] = [];
  let marker: { KeyMarker: string; UploadIdMarker?: string } | undefined;
  do {
    const asked = marker;
    const page: ListMultipartUploadsCommandOutput = await store.small(
      `cannot list unfinished uploads in ${store.label}`,
      signal,
      (small) =>
        store.connection.run((client) =>
          client.send(
            new ListMultipartUploadsCommand({
              Bucket: store.options.bucket,
              Prefix: prefix,
              EncodingType: "url",
              ...asked,
            }),
            { abortSignal: small },
          ),
        ),
    );
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      const key = decodeKey(Key ?? "", page.EncodingType);
      if (UploadId === undefined || !key.startsWith(prefix)) continue;
      found.push({ key, uploadId: UploadId, initiatedAt: Initiated?.getTime() ?? Date.now() });
    }
    marker = undefined;
    if (page.IsTruncated === true && page.NextKeyMarker !== undefined) {
      const keyMarker = decodeKey(page.NextKeyMarker, page.EncodingType);
      const next = {
        KeyMarker: keyMarker,
        ...(page.NextUploadIdMarker === undefined ? {} : { UploadIdMarker: page.NextUploadIdMarker }),
      };
      const isFurther = next.KeyMarker !== asked?.KeyMarker || next.UploadIdMarker !== asked.UploadIdMarker;
      if (isFurther) marker = next;
    }
  } while (marker !== undefined);
  return found;
}

async function abort(store: Store, upload: Unfinished, signal: AbortSignal): Promise<void> {
  const command = new AbortMultipartUploadCommand({
    Bucket: store.options.bucket,
    Key: upload.key,
    UploadId: upload.uploadId,
  });
  try {
    await store.small(`cannot abort an unfinished upload in ${store.label}`, signal, (small) =>
      store.connection.run((client) => client.send(command, { abortSignal: small })),
    );
  } catch (error) {
    // Somebody else was faster.
    if (!(error instanceof DestinationError && isRefusal(error.cause, "NoSuchUpload"))) throw error;
  }
}

/** Directly in the folder with an archive's ending, or a record of Lifeboat's: others' uploads are none of ours. */
function hasOwnName(store: Store, { key }: Unfinished): boolean {
  const name = key.slice(store.prefix.length);
  return name.includes("/") ? name.startsWith(`${RECORD_FOLDER}/`) : ARCHIVE_ENDING.test(name);
}
