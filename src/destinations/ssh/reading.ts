import { Readable } from "node:stream";
import type { Stats } from "ssh2";
import type { ByteRange } from "../../contracts/destination.ts";
import { orAborted } from "../../lib/abortable.ts";
import { DestinationError } from "../../lib/errors.ts";
import { checkRange } from "../range.ts";
import { isMissing, toSshError } from "./errors.ts";
import type { Session } from "./session.ts";

const PIECE_BYTES = 32 * 1024;
/** Requests on their way at once: 2 MiB, so that a line's delay is paid once. */
const MOST = 64;

export interface ReadOptions {
  readonly session: Session;
  readonly path: string;
  readonly attempt: string;
  readonly range: ByteRange | undefined;
  readonly signal: AbortSignal;
}

/** A range may reach beyond the end: what is there comes, possibly nothing. Rejects before any byte flows. */
export async function openForReading(options: ReadOptions): Promise<Readable> {
  const { session, path, attempt, range, signal } = options;
  checkRange(range, attempt);
  let handle: Buffer;
  let stat: Stats;
  try {
    handle = await session.request<Buffer>((done) => session.sftp.open(path, "r", done));
    stat = await session.request<Stats>((done) => session.sftp.fstat(handle, done));
  } catch (error) {
    if (isMissing(error)) throw new DestinationError("not-found", `${attempt}: it is not there`, { cause: error });
    throw toSshError(error, attempt);
  }
  const start = Math.min(range?.offset ?? 0, stat.size);
  const end = range === undefined ? stat.size : Math.min(stat.size, range.offset + range.length);
  const body = Readable.from(pieces(options, handle, start, end), { objectMode: false, highWaterMark: 256 * 1024 });
  const onAbort = (): void => void body.destroy(signal.reason as Error);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  body.once("close", () => signal.removeEventListener("abort", onAbort));
  return body;
}

/** Asks ahead, gives in order. A file that is shorter than it was is an error, never a silent end. */
async function* pieces(
  { session, attempt, signal }: ReadOptions,
  handle: Buffer,
  start: number,
  end: number,
): AsyncGenerator<Buffer, void, void> {
  const asked: Promise<Buffer>[] = [];
  let next = start;
  try {
    while (true) {
      while (asked.length < MOST && next < end) {
        const piece = readPiece(session, handle, next, Math.min(PIECE_BYTES, end - next), attempt);
        // It may fail before its turn comes.
        piece.catch(() => undefined);
        asked.push(piece);
        next += PIECE_BYTES;
      }
      const first = asked.shift();
      if (first === undefined) return;
      yield await orAborted(first, signal);
    }
  } catch (error) {
    throw toSshError(error, attempt);
  } finally {
    if (session.death === undefined)
      session
        .request<unknown>((done) => session.sftp.close(handle, (error) => done(error, undefined)))
        .catch(() => undefined);
  }
}

async function readPiece(
  session: Session,
  handle: Buffer,
  position: number,
  length: number,
  attempt: string,
): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  for (let filled = 0; filled < length;) {
    const at = filled;
    const bytesRead = await session.request<number>((done) =>
      session.sftp.read(handle, buffer, at, length - at, position + at, (error, count) => done(error, count)),
    );
    if (bytesRead === 0)
      throw new DestinationError("unavailable", `${attempt}: it ended early, at byte ${position + filled}`);
    filled += bytesRead;
  }
  return buffer;
}
