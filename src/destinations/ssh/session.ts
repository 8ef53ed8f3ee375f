import type { Client, SFTPWrapper } from "ssh2";
import { DestinationError } from "../../lib/errors.ts";
import { IDLE_MS } from "../limits.ts";
import { toConnectionError } from "./errors.ts";

type Done<T> = (error: Error | null | undefined, value: T) => void;

/** One live SFTP session. Calls in any number may be under way at the same time. */
export interface Session {
  readonly sftp: SFTPWrapper;
  /** Why it can't be used any more; undefined while it lives. */
  readonly death: DestinationError | undefined;
  has(extension: string): boolean;
  /**
   * Sends a request and waits for its answer. Rejects with the server's status, or with `unavailable` when the session
   * ends or the server does not answer anything for the idle limit. `slow`: work on the server's disk that takes its time.
   */
  request<T>(send: (done: Done<T>) => void, pace?: "slow"): Promise<T>;
  /** Ends it; what is under way rejects. */
  end(reason?: DestinationError): void;
}

/** Keeps routers from forgetting a connection that waits for the archive. */
const KEEPALIVE_MS = 15_000;
/** Syncing a large file to a slow disk. */
const SLOW_MS = 120_000;
const LOOK_EVERY_MS = 250;

export interface SessionOptions {
  readonly client: Client;
  readonly sftp: SFTPWrapper;
  /** For messages: `cannot reach …` */
  readonly attempt: string;
  readonly idleMs?: number;
}

export function createSession(options: SessionOptions): Session {
  const { client, sftp } = options;
  const idleMs = options.idleMs ?? IDLE_MS;
  const waiting = new Set<(error: DestinationError) => void>();
  let slowOnes = 0;
  let lastSignAt = performance.now();
  let death: DestinationError | undefined;

  const end = (reason: DestinationError): void => {
    if (death !== undefined) return;
    death = reason;
    clearInterval(watch);
    for (const reject of waiting) reject(reason);
    client.end();
    // A server that does not answer the farewell is not waited for.
    setTimeout(() => client.destroy(), 200).unref();
  };
  const lost = (thrown?: unknown): void => end(toConnectionError(thrown ?? new Error(""), options.attempt));

  const session: Session = {
    sftp,
    get death() {
      return death;
    },
    has: (extension) => Object.hasOwn(extensionsOf(sftp), extension),
    request(send, pace) {
      return new Promise((resolve, reject) => {
        if (death !== undefined) {
          reject(death);
          return;
        }
        if (waiting.size === 0) lastSignAt = performance.now();
        if (pace === "slow") slowOnes += 1;
        const settle = (): void => {
          if (waiting.delete(onDeath) && pace === "slow") slowOnes -= 1;
        };
        const onDeath = (error: DestinationError): void => {
          settle();
          reject(error);
        };
        waiting.add(onDeath);
        try {
          send((error, value) => {
            if (!waiting.has(onDeath)) return;
            lastSignAt = performance.now();
            settle();
            if (error === undefined || error === null) resolve(value);
            // Without a status it is the library's word for a connection that ended.
            else reject("code" in error ? error : toConnectionError(error, options.attempt));
          });
        } catch (error) {
          settle();
          reject(error);
        }
      });
    },
    end: (reason) =>
      end(reason ?? new DestinationError("unavailable", `${options.attempt}: the connection was closed`)),
  };

  // The library's own keepalive gives up while a slow line still carries data; answers are the better sign of life.
  const watch = setInterval(() => {
    const silentMs = performance.now() - lastSignAt;
    if (waiting.size === 0) {
      if (silentMs < KEEPALIVE_MS) return;
      lastSignAt = performance.now();
      session.request<string>((done) => sftp.realpath(".", done)).catch(() => undefined);
    } else if (silentMs > (slowOnes > 0 ? Math.max(SLOW_MS, idleMs) : idleMs)) {
      end(
        new DestinationError(
          "unavailable",
          `${options.attempt}: the server did not answer for ${Math.round(silentMs / 1000)} s`,
          { hint: "look at the server's load and log, and at the network in between" },
        ),
      );
    }
  }, LOOK_EVERY_MS).unref();

  client.on("error", lost);
  client.on("close", () => lost());
  sftp.on("error", lost);
  sftp.on("end", () => lost());
  sftp.on("close", () => lost());
  return session;
}

/** The library keeps what the server offers to itself. */
function extensionsOf(sftp: SFTPWrapper): Readonly<Record<string, unknown>> {
  return (sftp as unknown as { _extensions?: Record<string, unknown> })._extensions ?? {};
}
