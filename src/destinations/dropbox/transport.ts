import { Readable } from "node:stream";
import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from "undici";
import { messageOf } from "../../lib/errors.ts";
import { proxyFor } from "../proxy.ts";
import { slicesOf } from "../slices.ts";
import type { DropboxLimits } from "./options.ts";

export interface HttpRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  readonly signal: AbortSignal;
  /** The whole call, its answer included, ends by then. Absent: it may take as long as something moves. */
  readonly totalMs?: number;
}

export interface HttpAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  /** The whole answer, at most `MOST_TEXT_BYTES` of it. */
  text(): Promise<string>;
  /** Ends with an error when nothing comes for too long; time in which nobody reads does not count. */
  stream(): Readable;
}

/** POST requests, each of which ends when nothing has moved in either direction for the idle time. */
export interface Transport {
  post(call: HttpRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/** Nothing moved for too long, or a small call took too long. */
class SilenceError extends Error {
  constructor(ms: number) {
    super(`no answer within ${Math.round(ms / 1000)} s`);
    this.name = "TimeoutError";
  }
}

const SLICE_BYTES = 256 * 1024;
/** A listing page has some hundred kilobytes. */
const MOST_TEXT_BYTES = 32 * 1024 * 1024;

/** `onTaken`: a body is being taken, slowly. */
export function createTransport(limits: DropboxLimits, onTaken: () => void = () => undefined): Transport {
  // Undici's own limits are switched off: its wait for an answer begins before the body is sent, so a slow line looks
  // like a silent server.
  const options: Agent.Options = {
    connect: { timeout: limits.connectMs },
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 20_000,
    allowH2: false,
  };
  const dispatchers = new Map<string | undefined, Dispatcher>();
  const dispatcherFor = (url: string): Dispatcher => {
    const proxy = proxyFor(new URL(url));
    const known = dispatchers.get(proxy) ?? createDispatcher(proxy, options);
    dispatchers.set(proxy, known);
    return known;
  };
  return {
    async post({ url, headers, body, signal, totalMs }) {
      const watch = watchSilence(limits.idleMs, totalMs, signal);
      try {
        const {
          statusCode,
          headers: answered,
          body: content,
        } = await request(url, {
          method: "POST",
          dispatcher: dispatcherFor(url),
          signal: watch.signal,
          headers: { ...headers, ...(body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) }) },
          ...(body === undefined
            ? {}
            : { body: typeof body === "string" ? body : slicesOf(body, { moved: watch.moved, taken: onTaken }) }),
        });
        watch.moved();
        // Destroying a body that nobody wants any more is an error event to undici.
        content.on("error", () => undefined);
        return {
          status: statusCode,
          header(name) {
            const value = answered[name.toLowerCase()];
            return Array.isArray(value) ? value[0] : value;
          },
          text: () => textOf(content, watch),
          stream: () => streamOf(content, watch),
        };
      } catch (error) {
        watch.end();
        throw watch.reasonOf(error);
      }
    },
    async close() {
      await Promise.all([...dispatchers.values()].map((dispatcher) => dispatcher.destroy()));
    },
  };
}

function createDispatcher(proxy: string | undefined, options: Agent.Options): Dispatcher {
  if (proxy === undefined) return new Agent(options);
  return new EnvHttpProxyAgent({ ...options, httpProxy: proxy, httpsProxy: proxy, noProxy: "" });
}

interface Watch {
  readonly signal: AbortSignal;
  /** A byte went or came. */
  moved(): void;
  /** Nobody waits for anything just now. */
  rest(): void;
  end(): void;
  /** Why a request failed: the abort's own reason where there was one. */
  reasonOf(error: unknown): unknown;
}

function watchSilence(idleMs: number, totalMs: number | undefined, outer: AbortSignal): Watch {
  const controller = new AbortController();
  const giveUp = (): void => controller.abort(new SilenceError(idleMs));
  const total =
    totalMs === undefined ? undefined : setTimeout(() => controller.abort(new SilenceError(totalMs)), totalMs);
  const onAbort = (): void => controller.abort(outer.reason);
  let timer = setTimeout(giveUp, idleMs);
  if (outer.aborted) onAbort();
  else outer.addEventListener("abort", onAbort, { once: true });
  return {
    signal: controller.signal,
    moved() {
      clearTimeout(timer);
      timer = setTimeout(giveUp, idleMs);
    },
    rest: () => clearTimeout(timer),
    end() {
      clearTimeout(timer);
      clearTimeout(total);
      outer.removeEventListener("abort", onAbort);
    },
    reasonOf: (error) => (controller.signal.aborted ? controller.signal.reason : error),
  };
}

async function* watched(content: Readable, watch: Watch): AsyncGenerator<Buffer, void, void> {
  try {
    for await (const chunk of content) {
      watch.rest();
      yield chunk as Buffer;
      watch.moved();
    }
  } catch (error) {
    throw watch.reasonOf(error);
  } finally {
    watch.end();
    content.destroy();
  }
}

function streamOf(content: Readable, watch: Watch): Readable {
  const stream = Readable.from(watched(content, watch), { objectMode: false, highWaterMark: SLICE_BYTES });
  // A generator that was never begun has no `finally`.
  return stream.on("close", () => {
    watch.end();
    content.destroy();
  });
}

async function textOf(content: Readable, watch: Watch): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of watched(content, watch)) {
    bytes += chunk.byteLength;
    if (bytes > MOST_TEXT_BYTES) throw new Error(`the answer is longer than ${MOST_TEXT_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The beginning of an answer that nobody expected, on one line. */
export function beginningOf(text: string): string {
  const line = messageOf(text.slice(0, 500)).trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
