import type { Stats } from "ssh2";
import type { ArchiveSource } from "../../contracts/archive.ts";
import { orAborted, untilAborted } from "../../lib/abortable.ts";
import { formatBytes } from "../../lib/bytes.ts";
import { DestinationError } from "../../lib/errors.ts";
import { FAILURE_HINT, isMissing, SFTP_STATUS, statusOf, toSshError } from "./errors.ts";
import type { Session } from "./session.ts";
import { freeBytes, fullError } from "./space.ts";
import { createWriteWindow } from "./write-window.ts";

/** What every server takes. */
const PIECE_BYTES = 32 * 1024;
/** What a server takes that says how large writes may be, as OpenSSH does: fewer, larger requests cost it less. */
const LARGE_PIECE_BYTES = 128 * 1024;
/** Less free space than this is a full disk: what failed was a write. */
const NO_SPACE_BYTES = 1024 * 1024;
/** A server that wants its writes in order complains early. */
const EARLY_BYTES = 16 * 1024 * 1024;

export interface UploadOptions {
  /** Under its unfinished name. */
  readonly path: string;
  readonly folder: string;
  readonly attempt: string;
  readonly body: ArchiveSource;
  readonly signal: AbortSignal;
  /** Requests of `PIECE_BYTES` on their way at once. */
  readonly concurrency: number;
  onProgress?(bytesSent: number): void;
}

/** One body on its way to one file, over as many sessions as it takes. */
export interface Upload {
  readonly confirmedBytes: number;
  /** The file was begun, so something may have to be removed. */
  readonly isBegun: boolean;
  /** Goes on after the last confirmed byte, to the end: written, synced, its size compared. Returns the size. */
  run(session: Session): Promise<number>;
}

export function createUpload(options: UploadOptions): Upload {
  const { path, body, signal, attempt } = options;
  let confirmedBytes = 0;
  let isBegun = false;
  let { concurrency } = options;
  /** Why the upload begins anew, with its writes in order. */
  let complaint: DestinationError | undefined;

  const open = async (session: Session): Promise<{ readonly handle: Buffer; readonly offset: number }> => {
    if (confirmedBytes > 0) {
      try {
        const handle = await session.request<Buffer>((done) => session.sftp.open(path, "r+", done));
        const { size } = await fstat(session, handle);
        return { handle, offset: Math.min(confirmedBytes, size) };
      } catch (error) {
        if (!isMissing(error)) throw error;
        // Somebody removed it: only from the start.
        confirmedBytes = 0;
      }
    }
    const flags = isBegun ? "w" : "wx";
    isBegun = true;
    const handle = await session.request<Buffer>((done) => session.sftp.open(path, flags, { mode: 0o600 }, done));
    return { handle, offset: 0 };
  };

  async function* readFrom(offset: number, stopped: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    let isAtStart = true;
    try {
      for await (const chunk of body.read(offset, stopped)) {
        isAtStart = false;
        yield chunk;
      }
    } catch (error) {
      // What is only in memory can't be read again: then what the server said is what helps.
      throw complaint !== undefined && isAtStart && !stopped.aborted ? asFinal(complaint) : error;
    }
  }

  const write = async (session: Session, handle: Buffer, offset: number): Promise<number> => {
    const isLarge = concurrency > 1 && session.has("limits@openssh.com");
    const pieceBytes = isLarge ? LARGE_PIECE_BYTES : PIECE_BYTES;
    const stop = new AbortController();
    const stopped = AbortSignal.any([signal, stop.signal]);
    const window = createWriteWindow({
      session,
      handle,
      offset,
      most: isLarge ? Math.max(1, Math.ceil((concurrency * PIECE_BYTES) / LARGE_PIECE_BYTES)) : concurrency,
      onConfirmed(total) {
        confirmedBytes = total;
        body.release(total);
        options.onProgress?.(total);
      },
      // The archive may be slow: a failure does not wait for its next bytes.
      onFailure: (error) => stop.abort(error),
    });
    for await (const chunk of untilAborted(readFrom(offset, stopped), stopped)) {
      for (let at = 0; at < chunk.byteLength; at += pieceBytes)
        await orAborted(window.write(chunk.subarray(at, at + pieceBytes)), signal);
    }
    await orAborted(window.drained(), signal);
    return window.confirmedBytes;
  };

  /** "Failure" is what most servers say of a full disk, a used-up quota, and writes that they want in order. */
  const explain = async (session: Session, error: unknown): Promise<unknown> => {
    const translated = toSshError(error, attempt);
    if (statusOf(error) !== SFTP_STATUS.failure || !(translated instanceof DestinationError)) return translated;
    if (translated.code === "full") return translated;
    const free = await freeBytes(session, options.folder);
    const after = ` after ${formatBytes(confirmedBytes)} of it were written`;
    if (free !== undefined && free < NO_SPACE_BYTES) return fullError(options.folder, free, after, error);
    const isMaybeOrder = concurrency > 1 && confirmedBytes < EARLY_BYTES;
    if (isMaybeOrder) {
      concurrency = 1;
      confirmedBytes = 0;
    }
    complaint = new DestinationError(translated.code, `${translated.message}${after}`, {
      hint: isMaybeOrder
        ? "a server that needs its writes in order works with SSH_CONCURRENCY=1; else look at its disk, its quota and its log"
        : FAILURE_HINT,
      cause: error,
    });
    return complaint;
  };

  return {
    get confirmedBytes() {
      return confirmedBytes;
    },
    get isBegun() {
      return isBegun;
    },
    async run(session) {
      let opened: Buffer | undefined;
      try {
        const { handle, offset } = await open(session);
        opened = handle;
        const sizeBytes = await write(session, handle, offset);
        const expected = await orAborted(body.finished, signal);
        await syncFile(session, handle);
        const { size } = await fstat(session, handle);
        await session.request<unknown>((done) => session.sftp.close(handle, (error) => done(error, undefined)), "slow");
        if (sizeBytes !== expected.sizeBytes || size !== expected.sizeBytes) {
          throw new DestinationError(
            "unavailable",
            `${attempt}: the server has ${size} bytes of it instead of ${expected.sizeBytes}`,
            { hint: "is the disk of the server full, or its quota used up?" },
          );
        }
        return size;
      } catch (error) {
        if (opened !== undefined) closeQuietly(session, opened);
        if (signal.aborted) throw error;
        throw await explain(session, error);
      }
    },
  };
}

function asFinal(error: DestinationError): DestinationError {
  const { hint } = error;
  return new DestinationError(error.code, error.message, { ...(hint === undefined ? {} : { hint }), isFinal: true });
}

function fstat(session: Session, handle: Buffer): Promise<Stats> {
  return session.request<Stats>((done) => session.sftp.fstat(handle, done));
}

/** Not waited for. A handle that is closed already is refused, which does no harm. */
function closeQuietly(session: Session, handle: Buffer): void {
  session
    .request<unknown>((done) => session.sftp.close(handle, (error) => done(error, undefined)))
    .catch(() => undefined);
}

/** Where the server offers it. Also what first reports a full disk on file systems that allocate late. */
async function syncFile(session: Session, handle: Buffer): Promise<void> {
  if (!session.has("fsync@openssh.com")) return;
  try {
    await session.request<unknown>((done) => session.sftp.ext_openssh_fsync(handle, done), "slow");
  } catch (error) {
    // Some file systems have no fsync: OpenSSH then says "unsupported" or "bad message".
    const status = statusOf(error);
    if (status !== SFTP_STATUS.unsupported && status !== SFTP_STATUS.badMessage) throw error;
  }
}
