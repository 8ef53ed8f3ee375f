import { Readable } from "node:stream";
import { GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import type { Area, ByteRange } from "../../contracts/destination.ts";
import { DestinationError } from "../../lib/errors.ts";
import { printablePath } from "../../lib/printable.ts";
import { checkPiece, checkRange } from "../range.ts";
import { resumingBody } from "../resuming-body.ts";
import { isRefusal, statusOf } from "./errors.ts";
import type { Store } from "./store.ts";

/** A range may reach beyond the end: what is there comes, possibly nothing. A cut is resumed. */
export async function openObject(
  store: Store,
  area: Area,
  name: string,
  range: ByteRange | undefined,
  signal: AbortSignal,
): Promise<Readable> {
  const key = store.keyOf(area, name);
  const attempt = `cannot read ${printablePath(name)} in ${store.label}`;
  const isEmpty = range?.length === 0;
  checkRange(range, attempt);
  const open = async (from: number, to: number | undefined, etag: string | undefined) => {
    const command = new GetObjectCommand({
      Bucket: store.options.bucket,
      Key: key,
      ...(from === 0 && to === undefined ? {} : { Range: `bytes=${from}-${to ?? ""}` }),
      ...(etag === undefined ? {} : { IfMatch: etag }),
    });
    const answer = await store.connection.run((client) => client.send(command, { abortSignal: signal }));
    const { Body, ETag, ContentLength, ContentRange } = answer;
    if (!(Body instanceof Readable)) throw new Error("the answer has no body");
    checkPiece(
      Body,
      { from, to, contentRange: ContentRange, lengthBytes: ContentLength, etag, answeredEtag: ETag },
      attempt,
    );
    return { body: Body, etag: ETag, lengthBytes: ContentLength };
  };
  const from = range?.offset ?? 0;
  const to = range === undefined ? undefined : range.offset + range.length - 1;
  try {
    if (isEmpty) {
      const command = new HeadObjectCommand({ Bucket: store.options.bucket, Key: key });
      await store.small(attempt, signal, (abortSignal) =>
        store.connection.run((client) => client.send(command, { abortSignal })),
      );
      return Readable.from([]);
    }
    const first = await store.small(attempt, signal, () => open(from, to, undefined));
    return resumingBody(first.body, {
      signal,
      lengthBytes: first.lengthBytes,
      reopen: async (sent) => (await open(from + sent, to, first.etag)).body,
      translate: (thrown) => store.translate(thrown, attempt),
    });
  } catch (error) {
    if (!(error instanceof DestinationError)) throw error;
    if (isRefusal(error.cause, "InvalidRange") || statusOf(error.cause) === 416) return Readable.from([]);
    if (error.code !== "not-found" || isRefusal(error.cause, "NoSuchBucket")) throw error;
    throw new DestinationError("not-found", `${printablePath(name)} is not in ${store.label}`, { cause: error });
  }
}
