import { Readable } from "node:stream";
import type { Area, ByteRange } from "../../contracts/destination.ts";
import { DestinationError } from "../../lib/errors.ts";
import { printablePath } from "../../lib/printable.ts";
import { checkPiece, checkRange } from "../range.ts";
import { resumingBody } from "../resuming-body.ts";
import { statusOf, toAzureError, wordOf } from "./errors.ts";
import type { Store } from "./store.ts";

/** A range may reach beyond the end: what is there comes, possibly nothing. A cut is resumed. */
export async function openBlob(
  store: Store,
  area: Area,
  name: string,
  range: ByteRange | undefined,
  signal: AbortSignal,
): Promise<Readable> {
  const blob = store.container.getBlobClient(store.blobOf(area, name));
  const attempt = `cannot read ${printablePath(name)} in ${store.label}`;
  checkRange(range, attempt);
  const open = async (offset: number, length: number | undefined, etag: string | undefined) => {
    const answer = await blob.download(offset, length, {
      abortSignal: signal,
      maxRetryRequests: 0,
      ...(etag === undefined ? {} : { conditions: { ifMatch: etag } }),
    });
    const { readableStreamBody: body, etag: answeredEtag, contentLength: lengthBytes, contentRange } = answer;
    if (!(body instanceof Readable)) throw new Error("the answer has no body");
    const to = length === undefined ? undefined : offset + length - 1;
    checkPiece(body, { from: offset, to, contentRange, lengthBytes, etag, answeredEtag }, attempt);
    return { body, etag: answeredEtag, lengthBytes };
  };
  const offset = range?.offset ?? 0;
  try {
    if (range?.length === 0) {
      await store.small(attempt, signal, (abortSignal) => blob.getProperties({ abortSignal }));
      return Readable.from([]);
    }
    const first = await store.small(attempt, signal, () => open(offset, range?.length, undefined));
    return resumingBody(first.body, {
      signal,
      lengthBytes: first.lengthBytes,
      reopen: async (sent) =>
        (await open(offset + sent, range === undefined ? undefined : range.length - sent, first.etag)).body,
      translate: (thrown) => toAzureError(thrown, attempt, store.options.redact),
    });
  } catch (error) {
    if (!(error instanceof DestinationError)) throw error;
    if (statusOf(error.cause) === 416) return Readable.from([]);
    if (error.code !== "not-found" || wordOf(error.cause) === "ContainerNotFound") throw error;
    throw new DestinationError("not-found", `${printablePath(name)} is not in ${store.label}`, { cause: error });
  }
}
