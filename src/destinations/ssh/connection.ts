import { orAborted } from "../../lib/abortable.ts";
import { DestinationError } from "../../lib/errors.ts";
import type { Session } from "./session.ts";

/** One connection that all calls of a destination share; made when it is needed, and anew when it died. */
export interface Connection {
  /** Rejects as connecting does, or with the signal's reason. */
  session(signal: AbortSignal): Promise<Session>;
  /** The live session, if there is one. */
  live(): Session | undefined;
  close(): void;
}

export function createConnection(open: () => Promise<Session>): Connection {
  let opening: Promise<Session> | undefined;
  let current: Session | undefined;
  let closed = false;

  const begin = async (): Promise<Session> => {
    try {
      current = await open();
      if (closed) current.end();
      return current;
    } finally {
      opening = undefined;
    }
  };
  const live = (): Session | undefined => (current?.death === undefined ? current : undefined);

  return {
    live,
    async session(signal) {
      signal.throwIfAborted();
      if (closed) throw new DestinationError("unavailable", "the destination is closed already");
      const session = live();
      if (session !== undefined) return session;
      opening ??= begin();
      // Several calls may wait for it; an abort of one ends only its own waiting.
      opening.catch(() => undefined);
      return await orAborted(opening, signal);
    },
    close() {
      closed = true;
      current?.end();
    },
  };
}
