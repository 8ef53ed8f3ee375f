import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { orAborted, untilAborted } from "../../lib/abortable.ts";
import { DestinationError } from "../../lib/errors.ts";

/** A body on its way up. */
export interface Upload {
  /** Known: sent with `Content-Length`. Unknown: sent in chunks. */
  readonly sizeBytes: number | undefined;
  read(signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** The first byte is about to go: from now on the source has been asked. */
  onBegin?(): void;
  onSent?(totalBytes: number): void;
}

export interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** A small body, sent at once, or a large one, sent when the server wants it. */
  readonly body?: Buffer | Upload;
  /** A large body is sent at once: the server is known to refuse the question (`417`). */
  readonly isUnasked?: boolean;
  readonly signal: AbortSignal;
  readonly limits: HttpLimits;
}

export interface HttpLimits {
  /** Until the connection (with TLS) stands. */
  readonly connectMs: number;
  /** Without a byte in either direction. */
  readonly idleMs: number;
  /** From the last byte of a request to the answer. */
  readonly answerMs: number;
}

export interface Answer {
  readonly status: number;
  readonly message: IncomingMessage;
  /** All of the request's body was sent (or it had none), so the answer is about it. */
  readonly isComplete: boolean;
  readonly sentBytes: number;
  /** Frees the connection, whatever is left of the answer. */
  discard(): void;
}

export type SendRequest = (url: URL, options: RequestOptions) => ClientRequest;

/** How long the server's "go on" is waited for; one that knows no `Expect` never says it. */
const CONTINUE_MS = 2_000;
/** Small enough that a slow line still shows signs of life within the idle limit. */
const PIECE_BYTES = 256 * 1024;
/** A body of known size up to this goes at once: sending it again costs less than asking first. */
const SMALL_BYTES = 256 * 1024;

/** One request and the head of its answer. Rejects with a system error, a `DestinationError` for silence, or the signal's reason. */
export async function exchange(send: SendRequest, options: Exchange): Promise<Answer> {
  const { method, url, signal, body, limits } = options;
  signal.throwIfAborted();
  const upload = body === undefined || Buffer.isBuffer(body) ? undefined : body;
  const isLarge = upload !== undefined && (upload.sizeBytes ?? Number.POSITIVE_INFINITY) > SMALL_BYTES;
  const asksFirst = isLarge && options.isUnasked !== true;
  const request = send(url, {
    method,
    headers: {
      ...options.headers,
      ...lengthHeaders(body),
      ...(asksFirst ? { Expect: "100-continue" } : {}),
    },
  });
  const stop = new AbortController();
  const stopped = AbortSignal.any([signal, stop.signal]);
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once("response", (message) => {
      stop.abort(new Error("the server answered"));
      resolve(message);
    });
    request.once("error", reject);
    // Nothing was promised to a socket that closes without a word.
    request.once("close", () => reject(Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" })));
  });
  answered.catch((error: unknown) => stop.abort(error));
  const clock = watchRequest(request, limits, url);
  let sentBytes = 0;
  let isComplete = true;
  try {
    if (upload === undefined) {
      request.end(body);
    } else {
      isComplete = false;
      // The head goes out now; `flushHeaders` would encode names that are not ASCII a second time.
      request.write("", "latin1");
      const isWanted = !asksFirst || (await Promise.race([wantsBody(request, clock), answered.then(() => false)]));
      if (isWanted) {
        upload.onBegin?.();
        const sending = sendBody(request, upload, stopped, clock, (total) => {
          sentBytes = total;
          upload.onSent?.(total);
        });
        isComplete = await orAborted(sentBefore(sending, answered), signal);
      }
    }
    clock.expectAnswer();
    const message = await orAborted(answered, signal);
    return {
      status: message.statusCode ?? 0,
      message,
      isComplete,
      sentBytes,
      discard() {
        // A connection that still waits for a promised body can't be used again.
        if (!isComplete) request.destroy();
        else if (!message.readableEnded) message.destroy();
      },
    };
  } catch (error) {
    request.destroy();
    throw error;
  } finally {
    clock.stop();
  }
}

function lengthHeaders(body: Exchange["body"]): Record<string, string> {
  if (body === undefined) return {};
  const sizeBytes = Buffer.isBuffer(body) ? body.byteLength : body.sizeBytes;
  return sizeBytes === undefined ? { "Transfer-Encoding": "chunked" } : { "Content-Length": String(sizeBytes) };
}

/** True: all was sent. False: the server answered before that. */
async function sentBefore(sending: Promise<void>, answered: Promise<IncomingMessage>): Promise<boolean> {
  let isAnswered = false;
  answered.then(
    () => void (isAnswered = true),
    () => undefined,
  );
  try {
    await sending;
    return true;
  } catch (error) {
    if (isAnswered) return false;
    throw error;
  }
}

async function sendBody(
  request: ClientRequest,
  body: Upload,
  signal: AbortSignal,
  clock: RequestClock,
  onSent: (totalBytes: number) => void,
): Promise<void> {
  let total = 0;
  clock.pause();
  for await (const chunk of untilAborted(body.read(signal), signal)) {
    for (let at = 0; at < chunk.byteLength; at += PIECE_BYTES) {
      const piece = chunk.subarray(at, at + PIECE_BYTES);
      total += piece.byteLength;
      if (!request.write(piece)) {
        clock.expectDrain();
        await orAborted(new Promise<void>((resolve) => void request.once("drain", resolve)), signal);
        clock.pause();
      }
    }
    onSent(total);
  }
  request.end();
}

async function wantsBody(request: ClientRequest, clock: RequestClock): Promise<true> {
  await clock.connected;
  return await new Promise((resolve) => {
    const timer = setTimeout(() => resolve(true), CONTINUE_MS);
    request.once("continue", () => {
      clearTimeout(timer);
      resolve(true);
    });
    request.once("close", () => clearTimeout(timer));
  });
}

interface RequestClock {
  readonly connected: Promise<void>;
  /** The archive is waited for, not the server. */
  pause(): void;
  expectDrain(): void;
  expectAnswer(): void;
  stop(): void;
}

/** Destroys the request when the other side is silent for too long. */
function watchRequest(request: ClientRequest, limits: HttpLimits, url: URL): RequestClock {
  const connected = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const arm = (ms: number, what: string, hint: string): void => {
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(
      () =>
        request.destroy(
          new DestinationError("unavailable", `${url.host} ${what} within ${Math.round(ms / 1000)} s`, { hint }),
        ),
      ms,
    );
  };
  arm(limits.connectMs, "did not accept a connection", "check WEBDAV_URL, and firewalls in between");
  request.once("socket", (socket) => {
    if (!socket.connecting && (socket as { secureConnecting?: boolean }).secureConnecting !== true) {
      connected.resolve();
      arm(limits.answerMs, "did not answer", "look at the server's load and log");
      return;
    }
    socket.once(url.protocol === "https:" ? "secureConnect" : "connect", () => {
      connected.resolve();
      arm(limits.answerMs, "did not answer", "look at the server's load and log");
    });
  });
  return {
    connected: connected.promise,
    pause: () => clearTimeout(timer),
    expectDrain: () => arm(limits.idleMs, "took no more bytes", "look at the server's load, its disk and the network"),
    expectAnswer: () => {
      if (request.socket?.connecting === false)
        arm(limits.answerMs, "did not answer", "look at the server's load and log");
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** The bytes of an answer. Rejects when nothing comes for `idleMs`, and when it ends before it is whole. */
export async function* readAnswer(
  { message }: Answer,
  idleMs: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, void> {
  const iterator = message[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    while (true) {
      const idle = setTimeout(
        () =>
          message.destroy(
            new DestinationError("unavailable", `the server sent nothing for ${Math.round(idleMs / 1000)} s`),
          ),
        idleMs,
      );
      const next = await orAborted(iterator.next(), signal).finally(() => clearTimeout(idle));
      if (next.done === true) break;
      yield next.value;
    }
    if (!message.complete) throw Object.assign(new Error("the answer was cut off"), { code: "ECONNRESET" });
  } finally {
    if (!message.readableEnded) message.destroy();
  }
}
