import { Readable } from "node:stream";
import type { ByteRange } from "../../contracts/destination.ts";
import { DestinationError } from "../../lib/errors.ts";
import { checkRange } from "../range.ts";
import { toWebdavError } from "./errors.ts";
import { type Answer, readAnswer } from "./http.ts";
import { type DavPath, encodePath } from "./paths.ts";
import { type Asking, lookAt } from "./resources.ts";

/** A range may reach beyond the end: what is there comes, possibly nothing. Rejects before any byte flows. */
export async function openForReading(asking: Asking, path: DavPath, range: ByteRange | undefined): Promise<Readable> {
  const { client, signal, attempt } = asking;
  checkRange(range, attempt);
  if (range?.length === 0) {
    if ((await lookAt(asking, path, "file")) === undefined) throw missing(attempt);
    return Readable.from([]);
  }
  const { answer, refusal } = await client.open({
    method: "GET",
    path: encodePath(path, "file"),
    headers: range === undefined ? {} : { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` },
    signal,
    attempt,
  });
  const { status } = answer;
  if (status === 404 || status === 410) {
    answer.discard();
    throw missing(attempt);
  }
  if (status === 416 && range !== undefined) {
    answer.discard();
    return Readable.from([]);
  }
  if (status !== 200 && status !== 206) throw await refusal();
  // A server may ignore the range: then it is cut here.
  const cut = status === 200 ? range : undefined;
  const expected = lengthOf(answer) ?? (status === 200 ? (await lookAt(asking, path, "file"))?.sizeBytes : undefined);
  const body = Readable.from(checked(asking, answer, client.idleMs, expected, cut), {
    objectMode: false,
    highWaterMark: 256 * 1024,
  });
  const onAbort = (): void => void body.destroy(signal.reason as Error);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  body.once("close", () => {
    signal.removeEventListener("abort", onAbort);
    answer.discard();
  });
  return body;
}

/** A body that ends before its announced length is an error, never a silent end. */
async function* checked(
  { attempt, signal }: Asking,
  answer: Answer,
  idleMs: number,
  expectedBytes: number | undefined,
  cut: ByteRange | undefined,
): AsyncGenerator<Buffer, void, void> {
  const begin = cut?.offset ?? 0;
  const end = cut === undefined ? Number.POSITIVE_INFINITY : cut.offset + cut.length;
  let total = 0;
  try {
    for await (const chunk of readAnswer(answer, idleMs, signal)) {
      const wanted = chunk.subarray(Math.max(0, begin - total), Math.max(0, end - total));
      total += chunk.byteLength;
      if (wanted.byteLength > 0) yield wanted;
      if (total >= end) return;
    }
  } catch (error) {
    throw signal.aborted ? error : toWebdavError(error, attempt);
  }
  if (expectedBytes !== undefined && total !== expectedBytes)
    throw new DestinationError("unavailable", `${attempt}: ${total} of ${expectedBytes} bytes came`);
}

function lengthOf({ message }: Answer): number | undefined {
  const length = message.headers["content-length"];
  return length === undefined ? undefined : Number(length);
}

function missing(attempt: string): DestinationError {
  return new DestinationError("not-found", `${attempt}: it is not there`);
}
