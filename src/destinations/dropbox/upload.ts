import type { files } from "dropbox";
import type { ArchiveSource } from "../../contracts/archive.ts";
import { orAborted } from "../../lib/abortable.ts";
import { DestinationError } from "../../lib/errors.ts";
import type { Attempts } from "../attempts.ts";
import { type Api, isLostSession } from "./api.ts";
import { type Block, type BlockPlan, blocksOf } from "./blocks.ts";
import { createContentHash } from "./content-hash.ts";
import { DropboxFailure } from "./failures.ts";

export interface UploadOptions {
  readonly api: Api;
  readonly plan: BlockPlan;
  readonly signal: AbortSignal;
  attemptsFor(signal: AbortSignal): Attempts;
  onProgress?(bytesSent: number): void;
  /** Size and content hash of what is under the name now; undefined where nothing is, or nobody may look. */
  lookUp(path: string): Promise<Uploaded | undefined>;
}

export interface Uploaded {
  readonly sizeBytes: number;
  readonly contentHash: string;
  /** Milliseconds since the epoch, by Dropbox's clock. */
  readonly storedAt: number;
}

/**
 * Stores a body under a path, in one session: nothing is visible before its last call, which comes when the archive is
 * known to be whole. Rejects with the first failure, after every other call has ended.
 */
export async function upload(path: string, body: ArchiveSource, options: UploadOptions): Promise<Uploaded> {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const session = createSession({ ...options, signal });
  const hash = createContentHash();
  const inFlight = new Set<Promise<void>>();
  let sizeBytes = 0;
  try {
    for await (const block of blocksOf(body, options.plan, signal)) {
      hash.update(block.bytes);
      sizeBytes = block.offset + block.bytes.byteLength;
      if (block.isLast) {
        // It closes the session, so everything else must be there; and a body that failed must not be closed at all.
        await Promise.all(inFlight);
        await expectWhole(body, sizeBytes, signal);
      }
      const sending = session
        .append(block)
        .catch((error: unknown) => failed.abort(error))
        .finally(() => {
          inFlight.delete(sending);
          block.giveBack();
        });
      inFlight.add(sending);
    }
    await Promise.all(inFlight);
    signal.throwIfAborted();
    const expected = { sizeBytes, contentHash: hash.digest() };
    const stored = await session.finish(path, expected);
    if (stored.sizeBytes === sizeBytes && stored.contentHash === expected.contentHash) return stored;
    throw await withdrawn(path, options.api, stored, expected);
  } catch (error) {
    failed.abort(error);
    throw signal.reason;
  } finally {
    await Promise.all(inFlight);
    session.end();
  }
}

async function expectWhole(body: ArchiveSource, sizeBytes: number, signal: AbortSignal): Promise<void> {
  const expected = await orAborted(body.finished, signal);
  if (expected.sizeBytes !== sizeBytes)
    throw new DestinationError("unavailable", `${sizeBytes} bytes were read instead of ${expected.sizeBytes}`);
}

interface Session {
  append(block: Block): Promise<void>;
  /** What Dropbox says it stored. */
  finish(path: string, expected: Omit<Uploaded, "storedAt">): Promise<Uploaded>;
  /** Nothing more is sent. */
  end(): void;
}

/** One block makes a sequential session of one call; more make a concurrent one. */
function createSession({ api, attemptsFor, signal, onProgress, lookUp }: UploadOptions): Session {
  const { client } = api;
  const attempts = attemptsFor(signal);
  let id: Promise<string> | undefined;
  let sentBytes = 0;

  const start = async (arg: files.UploadSessionStartArg): Promise<string> => {
    const { result } = await attempts.call(() => client.filesUploadSessionStart(arg, { signal }));
    if (typeof result?.session_id !== "string") throw strange("a new upload session");
    return result.session_id;
  };
  const sent = (bytes: number): void => {
    sentBytes += bytes;
    attempts.progressed();
    onProgress?.(sentBytes);
  };
  // A block on a slow line: nothing new is confirmed, but Dropbox is alive.
  const stopListening = api.onTaken(() => sent(0));

  return {
    end: stopListening,
    async append({ bytes, offset, isLast }) {
      if (isLast && offset === 0) {
        id = start({ close: true, contents: bytes });
        await id;
      } else {
        id ??= start({ session_type: { ".tag": "concurrent" }, close: false });
        const sessionId = await id;
        let from = 0;
        const outcome = await attempts.call(async (attempt) => {
          const cursor = { session_id: sessionId, offset: offset + from };
          const contents = bytes.subarray(from);
          try {
            await client.filesUploadSessionAppendV2({ cursor, close: isLast, contents }, { signal });
            return "held";
          } catch (error) {
            const sending = { from, offset, length: bytes.byteLength, isAgain: attempt > 1, isLast };
            const held = heldOf(error, sending);
            // No call can bring it back: only the whole upload, from its first byte.
            if (held === undefined) return lost(error);
            from = held;
            if (from < bytes.byteLength) throw error;
            return "held";
          }
        });
        if (outcome !== "held") throw outcome;
      }
      sent(bytes.byteLength);
    },
    async finish(path, expected) {
      const sessionId = await id;
      if (sessionId === undefined) throw new Error("an upload without any block");
      const commit: files.CommitInfo = { path, mode: { ".tag": "overwrite" }, autorename: false, mute: true };
      const cursor = { session_id: sessionId, offset: expected.sizeBytes };
      const finishing = attempts.call(async (attempt) => {
        try {
          const { result } = await client.filesUploadSessionFinish({ cursor, commit }, { signal });
          return uploadedOf(result);
        } catch (error) {
          if (!isLostSession(error) && !isClosed(error)) throw error;
          // An answer was lost: the session is gone because the file is there.
          const found = attempt > 1 ? await lookUp(path) : undefined;
          return found?.contentHash === expected.contentHash ? found : lost(error);
        }
      });
      const end = await finishing.catch(async (error: unknown) => {
        if (signal.aborted || !(error instanceof DestinationError) || error.code !== "unavailable") throw error;
        // No answer at all came through: what lies there decides.
        const limit = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)]);
        const found = await orAborted(lookUp(path), limit).catch(() => undefined);
        return found?.contentHash === expected.contentHash ? found : error;
      });
      if (end instanceof Error) throw end;
      return end;
    },
  };
}

/** For looking whether the archive is there after all. */
const LOOK_MS = 10_000;

function isClosed(error: unknown): boolean {
  return error instanceof DropboxFailure && /(?:^|\/)closed$/.test(error.tag);
}

interface Sending {
  /** Of the block's bytes, what was there before this call. */
  readonly from: number;
  readonly offset: number;
  readonly length: number;
  readonly isAgain: boolean;
  readonly isLast: boolean;
}

/** How many of the block's bytes Dropbox has after a failed call; undefined where the session itself is lost. */
function heldOf(error: unknown, { from, offset, length, isAgain, isLast }: Sending): number | undefined {
  if (isLostSession(error)) return undefined;
  if (!(error instanceof DropboxFailure)) return from;
  // Closed by this very call, whose answer was lost; whether all is there, the finish tells. Nothing else closes it.
  if (isClosed(error)) return isAgain && isLast ? length : undefined;
  const held = error.correctOffset === undefined ? undefined : error.correctOffset - offset;
  if (held === undefined) return from;
  // What lies before this block was confirmed and is given back: only the whole upload can repair that.
  if (held < 0) return undefined;
  return Math.min(held, length);
}

function lost(cause: unknown): DestinationError {
  return new DestinationError("unavailable", "Dropbox has lost the upload session", { cause });
}

export function uploadedOf(result: files.FileMetadata | undefined): Uploaded {
  const storedAt = Date.parse(result?.server_modified ?? "");
  if (typeof result?.size !== "number" || typeof result.content_hash !== "string") throw strange("a stored file");
  return {
    sizeBytes: result.size,
    contentHash: result.content_hash,
    storedAt: Number.isNaN(storedAt) ? Date.now() : storedAt,
  };
}

export function strange(what: string): DestinationError {
  return new DestinationError("unavailable", `the answer about ${what} is not Dropbox's`, {
    hint: "something else answers in its place: a proxy, or a wrong DROPBOX_ENDPOINT",
  });
}

/** What was stored is not what was sent: it must not stay under the name of a backup. */
async function withdrawn(
  path: string,
  api: Api,
  stored: Uploaded,
  expected: Omit<Uploaded, "storedAt">,
): Promise<DestinationError> {
  const gone = await api.client.filesDeleteV2({ path }, { signal: AbortSignal.timeout(api.limits.smallCallMs) }).then(
    () => "it was removed again",
    () => "and it could not be removed",
  );
  const sizes = `${stored.sizeBytes} bytes, content hash ${stored.contentHash}`;
  return new DestinationError(
    "unavailable",
    `Dropbox stored something else: ${sizes} instead of ${expected.sizeBytes} bytes, ${expected.contentHash}; ${gone}`,
  );
}
