import { Readable } from "node:stream";
import type { Stats } from "ssh2";
import type { ByteRange } from "../../contracts/destination.ts";
import { orAborted } from "../../lib/abortable.ts";
import { DestinationError } from "../../lib/errors.ts";
import { checkRange } from "../range.ts";
import { resumingBody } from "../resuming-body.ts";
import { isMissing, toSshError } from "./errors.ts";
import type { Session } from "./session.ts";

const PIECE_BYTES = 32 * 1024;
/** Requests on their way at once: 2 MiB, so that a line's delay is paid once. */
const MOST = 64;

export interface ReadOptions {
  /** A live one, made anew where the last one died. */
  session(): Promise<Session>;
  readonly path: string;
  readonly attempt: string;
  readonly range: ByteRange | undefined;
  readonly signal: AbortSignal;
  readonly silenceMs: number | undefined;
}

/** A range may reach beyond the end: what is there comes, possibly nothing. Rejects before any byte flows; a cut is resumed. */
export async function openForReading(options: ReadOptions): Promise<Readable> {
  const { attempt, range, signal, silenceMs } = options;
  checkRange(range, attempt);
  const first = await open(options);
  const { size, mtime } = first.stat;
  const start = Math.min(range?.offset ?? 0, size);
  const end = range === undefined ? size : Math.min(size, range.offset + range.length);
  const body = ({ session, handle }: Opened, from: number): Readable =>
    Readable.from(pieces(options, session, handle, from, end), { objectMode: false, highWaterMark: 256 * 1024 });
  return resumingBody(body(first, start), {
    signal,
    lengthBytes: end - start,
    silenceMs,
    async reopen(sent) {
      const next = await open(options);
      if (next.stat.size === size && next.stat.mtime === mtime) return body(next, start + sent);
      closeQuietly(next.session, next.handle);
      throw new DestinationError("unavailable", `${attempt}: it was replaced while it was read`, { isFinal: true });
    },
    translate: (thrown) => toSshError(thrown, attempt) as Error,
  });
}

interface Opened {
  readonly session: Session;
  readonly handle: Buffer;
  readonly stat: Stats;
}

async function open({ session: connect, path, attempt }: ReadOptions): Promise<Opened> {
  const session = await connect();
  try {
    const handle = await session.request<Buffer>((done) => session.sftp.open(path, "r", done));
    const stat = await session.request<Stats>((done) => session.sftp.fstat(handle, done));
    return { session, handle, stat };
  } catch (error) {
    if (isMissing(error)) throw new DestinationError("not-found", `${attempt}: it is not there`, { cause: error });
    throw toSshError(error, attempt);
  }
}

/** Asks ahead, gives in order. A file that is shorter than it was is an error, never a silent end. */
async function* pieces(
  { attempt, signal }: ReadOptions,
  session: Session,
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
    closeQuietly(session, handle);
  }
}

function closeQuietly(session: Session, handle: Buffer): void {
  if (session.death !== undefined) return;
  session
    .request<unknown>((done) => session.sftp.close(handle, (error) => done(error, undefined)))
    .catch(() => undefined);
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
