import type { Session } from "./session.ts";

export interface WriteWindow {
  /** Everything below this was confirmed by the server, bytes. */
  readonly confirmedBytes: number;
  /** Sends one piece after the last; waits while too many are on their way. Rejects with the first failure of any. */
  write(piece: Uint8Array): Promise<void>;
  /** All are confirmed. */
  drained(): Promise<void>;
}

export interface WriteWindowOptions {
  readonly session: Session;
  readonly handle: Buffer;
  readonly offset: number;
  /** Requests on their way at once. */
  readonly most: number;
  onConfirmed(totalBytes: number): void;
  /** At once, also while nobody waits here. */
  onFailure(error: unknown): void;
}

/** Writes in order without waiting for each answer: a line's delay then costs once, not once for each piece. */
export function createWriteWindow(options: WriteWindowOptions): WriteWindow {
  const { session, handle, most } = options;
  /** Positions that are on their way, in order. */
  const outstanding = new Set<number>();
  let next = options.offset;
  let confirmed = options.offset;
  let failure: { readonly error: unknown } | undefined;
  let wake: (() => void) | undefined;

  const settled = (position: number): void => {
    outstanding.delete(position);
    const [first] = outstanding;
    const reached = first ?? next;
    if (failure === undefined && reached > confirmed) {
      confirmed = reached;
      options.onConfirmed(confirmed);
    }
    wake?.();
  };
  const until = async (isReady: () => boolean): Promise<void> => {
    while (failure === undefined && !isReady()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if (failure !== undefined) throw failure.error;
  };

  return {
    get confirmedBytes() {
      return confirmed;
    },
    async write(piece) {
      await until(() => outstanding.size < most);
      const position = next;
      next += piece.byteLength;
      outstanding.add(position);
      const buffer = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
      // The library copies the piece before it returns.
      session
        .request<unknown>((done) =>
          session.sftp.write(handle, buffer, 0, buffer.byteLength, position, (error) => done(error, undefined)),
        )
        .then(
          () => settled(position),
          (error: unknown) => {
            if (failure === undefined) {
              failure = { error };
              options.onFailure(error);
            }
            wake?.();
          },
        );
    },
    drained: () => until(() => outstanding.size === 0),
  };
}
