import { Readable } from "node:stream";
import type { ByteRange } from "../../contracts/destination.ts";
import { DestinationError } from "../../lib/errors.ts";
import type { Attempts } from "../attempts.ts";
import { resumingBody } from "../resuming-body.ts";
import type { Api } from "./api.ts";
import { translated } from "./failures.ts";
import type { HttpAnswer } from "./transport.ts";
import { strange, type Uploaded, uploadedOf } from "./upload.ts";

export interface ReadOptions {
  readonly api: Api;
  readonly attempts: Attempts;
  readonly signal: AbortSignal;
}

/** A range may reach beyond the end: what is there comes, possibly nothing. */
export async function openForReading(
  path: string,
  range: ByteRange | undefined,
  { api, attempts, signal }: ReadOptions,
): Promise<Readable> {
  if (range !== undefined && !(isByteCount(range.offset) && isByteCount(range.length)))
    throw new DestinationError("invalid", `the range ${range.offset}+${range.length} makes no sense`);
  const start = range?.offset ?? 0;
  const end = range === undefined ? undefined : start + range.length;
  // An empty range still has to tell whether the file is there.
  const wanted = end === start ? "bytes=0-0" : rangeHeader(start, end);
  const answer = await attempts.call(() => api.download(path, wanted, signal));
  if (answer.status === 416 || end === start) {
    answer.stream().destroy();
    return Readable.from([]);
  }
  const first = fileOf(answer);
  expectRange(answer, wanted);
  const length = Math.min(first.sizeBytes, end ?? first.sizeBytes) - start;
  return resumingBody(answer.stream(), {
    signal,
    lengthBytes: length,
    async reopen(sent) {
      const again = await api.download(path, rangeHeader(start + sent, start + length), signal);
      if (again.status === 416 || fileOf(again).contentHash !== first.contentHash) {
        again.stream().destroy();
        throw new DestinationError("not-found", "the file was replaced while it was read");
      }
      expectRange(again, "bytes");
      return again.stream();
    },
    translate: (thrown) => asError(translated(thrown, signal)),
  });
}

/** Size and content hash of a file, without its content. Undefined where it is not there, or may not be read. */
export async function lookUp(path: string, api: Api, signal: AbortSignal): Promise<Uploaded | undefined> {
  try {
    const answer = await api.download(path, "bytes=0-0", signal);
    answer.stream().destroy();
    return answer.status === 416 ? undefined : fileOf(answer);
  } catch (error) {
    if (error instanceof DestinationError && error.code !== "unavailable") return undefined;
    throw error;
  }
}

function fileOf(answer: HttpAnswer): Uploaded {
  try {
    return uploadedOf(JSON.parse(answer.header("dropbox-api-result") ?? "") as Parameters<typeof uploadedOf>[0]);
  } catch (error) {
    answer.stream().destroy();
    throw error instanceof DestinationError ? error : strange("a file that is read");
  }
}

function expectRange(answer: HttpAnswer, wanted: string | undefined): void {
  if (wanted === undefined || answer.status === 206) return;
  answer.stream().destroy();
  throw new DestinationError("unavailable", "a part of the file was asked for, and all of it was sent");
}

function rangeHeader(start: number, end: number | undefined): string | undefined {
  if (end === undefined) return start === 0 ? undefined : `bytes=${start}-`;
  return `bytes=${start}-${end - 1}`;
}

function isByteCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
