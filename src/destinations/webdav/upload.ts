import type { ArchiveSource } from "../../contracts/archive.ts";
import { orAborted } from "../../lib/abortable.ts";
import { DestinationError } from "../../lib/errors.ts";
import { FULL_HINT } from "./errors.ts";
import { type DavPath, encodePath } from "./paths.ts";
import { type Asking, lookAt } from "./resources.ts";

const MAYBE_FULL_HINT = `is the disk of the server full, or its quota used up? ${FULL_HINT}`;

export interface UploadOptions {
  readonly body: ArchiveSource;
  /** Under an unfinished name. */
  readonly path: DavPath;
  readonly folder: DavPath;
  onSent?(totalBytes: number): void;
}

/** The server stored nothing of a body in chunks, or takes none: it needs to know the length before. */
export class NeedsLength extends Error {}

/** The archive could not be read, as opposed to not stored; `cause` says why. */
export class SourceFailure extends Error {
  /** Not even its first byte: it may be one that can't be read again. */
  readonly isAtStart: boolean;

  constructor(cause: unknown, isAtStart: boolean) {
    super("the archive can't be read", { cause });
    this.isAtStart = isAtStart;
  }
}

async function* readFrom(body: ArchiveSource, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
  let isAtStart = true;
  try {
    for await (const chunk of body.read(0, signal)) {
      isAtStart = false;
      yield chunk;
    }
  } catch (error) {
    throw new SourceFailure(error, isAtStart);
  }
}

/** Sends all of a body to one file, and compares what the server has of it. Returns the size. */
export async function uploadOnce(asking: Asking, options: UploadOptions): Promise<number> {
  const { client, signal, attempt } = asking;
  const { body, path } = options;
  const { sizeBytes } = body;
  const answer = await client.text({
    method: "PUT",
    path: encodePath(path, "file"),
    headers: { "Content-Type": "application/octet-stream" },
    body: {
      sizeBytes,
      read: (readSignal) => readFrom(body, readSignal),
      onSent: (total) => options.onSent?.(total),
    },
    signal,
    attempt,
  });
  if (sizeBytes === undefined && (answer.status === 411 || answer.status === 501)) throw new NeedsLength();
  // Servers written in Go say "method not allowed" when they can't write the body.
  if (answer.status === 405 && answer.sentBytes > 0) throw asNotStored(answer.refusal());
  if (answer.status >= 300) throw answer.refusal();
  if (!answer.isComplete)
    throw new DestinationError("unavailable", `${attempt}: the server said it is done before it had everything`);
  const expected = await orAborted(body.finished, signal);
  const stored = await lookAt(asking, path, "file");
  const storedBytes = stored?.sizeBytes ?? (await headSize(asking, path));
  if (storedBytes === expected.sizeBytes && answer.sentBytes === expected.sizeBytes) return expected.sizeBytes;
  if (sizeBytes === undefined && storedBytes === 0 && expected.sizeBytes > 0) throw new NeedsLength();
  throw await notStored(asking, options.folder, storedBytes, expected.sizeBytes);
}

/** "Created" is no proof: some servers say it on a full disk. */
async function notStored(
  asking: Asking,
  folder: DavPath,
  storedBytes: number | undefined,
  expectedBytes: number,
): Promise<DestinationError> {
  const free = (await lookAt(asking, folder, "folder"))?.freeBytes;
  const isFull = free !== undefined && free < expectedBytes - (storedBytes ?? 0);
  return new DestinationError(
    isFull ? "full" : "unavailable",
    `${asking.attempt}: the server said it is stored, but has ${storedBytes ?? "none"} of its ${expectedBytes} bytes`,
    { hint: isFull ? FULL_HINT : MAYBE_FULL_HINT, isFinal: true },
  );
}

function asNotStored(refusal: DestinationError): DestinationError {
  return new DestinationError("unavailable", refusal.message, { hint: MAYBE_FULL_HINT, isFinal: true });
}

/** For servers that leave the size out of their properties. */
async function headSize({ client, signal, attempt }: Asking, path: DavPath): Promise<number | undefined> {
  const { answer } = await client.open({ method: "HEAD", path: encodePath(path, "file"), signal, attempt });
  answer.discard();
  const length = answer.message.headers["content-length"];
  return answer.status === 200 && length !== undefined ? Number(length) : undefined;
}

/** Follows the archive to its end, so that its length is known. What is only in memory can't be read a second time, and says so then. */
export async function awaitLength(body: ArchiveSource, signal: AbortSignal): Promise<void> {
  if (body.sizeBytes === undefined) {
    let total = 0;
    for await (const chunk of readFrom(body, signal)) body.release((total += chunk.byteLength));
  }
  await orAborted(body.finished, signal);
}
