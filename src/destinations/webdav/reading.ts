import { Readable } from "node:stream";
import type { ByteRange } from "../../contracts/destination.ts";
import { DestinationError } from "../../lib/errors.ts";
import { checkRange } from "../range.ts";
import { resumingBody } from "../resuming-body.ts";
import { toWebdavError } from "./errors.ts";
import { type Answer, readAnswer } from "./http.ts";
import { type DavPath, encodePath } from "./paths.ts";
import { type Asking, lookAt } from "./resources.ts";

/** One answer's body, from the byte that was asked for. */
interface Opened {
  readonly body: Readable;
  /** Undefined where the server does not say. */
  readonly lengthBytes: number | undefined;
  /** Changes with the file, where the server gives any sign of that. */
  readonly version: string;
}

/** A range may reach beyond the end: what is there comes, possibly nothing. Rejects before any byte flows; a cut is resumed. */
export async function openForReading(
  asking: Asking,
  path: DavPath,
  range: ByteRange | undefined,
  silenceMs?: number,
): Promise<Readable> {
  const { signal, attempt } = asking;
  checkRange(range, attempt);
  if (range?.length === 0) {
    if ((await lookAt(asking, path, "file")) === undefined) throw missing(attempt);
    return Readable.from([]);
  }
  const begin = range?.offset ?? 0;
  const end = range === undefined ? undefined : range.offset + range.length;
  const first = await open(asking, path, begin, end);
  if (first === undefined) return Readable.from([]);
  return resumingBody(first.body, {
    signal,
    lengthBytes: first.lengthBytes,
    silenceMs,
    async reopen(sent) {
      const next = await open(asking, path, begin + sent, end);
      if (next?.version === first.version) return next.body;
      next?.body.destroy();
      throw new DestinationError("unavailable", `${attempt}: it was replaced while it was read`, { isFinal: true });
    },
    translate: (thrown) => toWebdavError(thrown, attempt) as Error,
  });
}

/** Undefined: it ends before `begin`. */
async function open(
  asking: Asking,
  path: DavPath,
  begin: number,
  end: number | undefined,
): Promise<Opened | undefined> {
  const { client, signal, attempt } = asking;
  const { answer, refusal } = await client.open({
    method: "GET",
    path: encodePath(path, "file"),
    headers: begin === 0 && end === undefined ? {} : { Range: `bytes=${begin}-${end === undefined ? "" : end - 1}` },
    signal,
    attempt,
  });
  const { status } = answer;
  if (status === 404 || status === 410) {
    answer.discard();
    throw missing(attempt);
  }
  if (status === 416) {
    answer.discard();
    return undefined;
  }
  if (status !== 200 && status !== 206) throw await refusal();
  const { etag, "last-modified": modified, "content-range": contentRange } = answer.message.headers;
  // A server may ignore the range, or give another one: then it is cut here.
  const from = status === 206 ? Number(/^bytes (\d+)-/.exec(contentRange ?? "")?.[1] ?? begin) : 0;
  if (from > begin) {
    answer.discard();
    throw new DestinationError("invalid", `${attempt}: the server gave another range than was asked for`);
  }
  const expected = lengthOf(answer) ?? (status === 200 ? (await lookAt(asking, path, "file"))?.sizeBytes : undefined);
  const body = Readable.from(checked(asking, answer, { from, begin, end, expected }), {
    objectMode: false,
    highWaterMark: 256 * 1024,
  });
  body.once("close", () => answer.discard());
  const available = expected === undefined ? undefined : from + expected - begin;
  return {
    body,
    lengthBytes: available === undefined || end === undefined ? available : Math.min(available, end - begin),
    // Apache calls the tag of a file that has just been written a weak one.
    version: `${(etag ?? "").replace(/^W\//, "")} ${modified ?? ""}`,
  };
}

interface Piece {
  /** Where the answer begins in the file, and what of it is wanted. */
  readonly from: number;
  readonly begin: number;
  readonly end: number | undefined;
  /** Bytes that the answer should have. */
  readonly expected: number | undefined;
}

/** A body that ends before its announced length is an error, never a silent end. */
async function* checked(
  { attempt, signal, client }: Asking,
  answer: Answer,
  { from, begin, end = Number.POSITIVE_INFINITY, expected }: Piece,
): AsyncGenerator<Buffer, void, void> {
  let at = from;
  try {
    for await (const chunk of readAnswer(answer, client.idleMs, signal)) {
      const wanted = chunk.subarray(Math.max(0, begin - at), Math.max(0, end - at));
      at += chunk.byteLength;
      if (wanted.byteLength > 0) yield wanted;
      if (at >= end) return;
    }
  } catch (error) {
    throw signal.aborted ? error : toWebdavError(error, attempt);
  }
  if (expected !== undefined && at - from !== expected)
    throw new DestinationError("unavailable", `${attempt}: ${at - from} of ${expected} bytes came`);
}

function lengthOf({ message }: Answer): number | undefined {
  const length = message.headers["content-length"];
  return length === undefined ? undefined : Number(length);
}

function missing(attempt: string): DestinationError {
  return new DestinationError("not-found", `${attempt}: it is not there`);
}
