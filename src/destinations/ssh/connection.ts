import { orAborted } from "../../lib/abortable.ts";
import { DestinationError } from "../../lib/errors.ts";
import { retriedCodes } from "../errors.ts";
import type { Session } from "./session.ts";

/** One connection that all calls of a destination share; made when it is needed, and anew when it died. */
export interface Connection {
  /** Rejects as connecting does, or with the signal's reason. */
  session(signal: AbortSignal): Promise<Session>;
  /** The live session, if there is one. */
  live(): Session | undefined;
  close(): void;
}

/** A refusal for good is not asked for again: servers lock out who comes too often with a wrong password. */
export function createConnection(open: () => Promise<Session>): Connection {
  let opening: Promise<Session> | undefined;
  let current: Session | undefined;
  let closed = false;
  let refusal: DestinationError | undefined;

  const begin = async (): Promise<Session> => {
    try {
      current = await open();
      if (closed) current.end();
      return current;
    } catch (error) {
      if (error instanceof DestinationError && !retriedCodes[error.code]) refusal = error;
      throw error;
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
      if (refusal !== undefined) throw refusal;
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
