import type { Readable } from "node:stream";
import type { ByteRange } from "../contracts/destination.ts";
import { DestinationError } from "../lib/errors.ts";

/** Throws `invalid` for a range that no object could have. */
export function checkRange(range: ByteRange | undefined, attempt: string): void {
  if (range === undefined || (isByteCount(range.offset) && isByteCount(range.length))) return;
  throw new DestinationError("invalid", `${attempt}: the range ${range.offset}+${range.length} makes no sense`);
}

/** What was asked for of an object, and what an answer says it is. */
export interface Piece {
  readonly from: number;
  /** The last byte; undefined: all that follows. */
  readonly to: number | undefined;
  /** As HTTP has it: `bytes 5-9/100`. */
  readonly contentRange: string | undefined;
  readonly lengthBytes: number | undefined;
  /** Of the object whose reading goes on; undefined: this is its beginning. */
  readonly etag: string | undefined;
  readonly answeredEtag: string | undefined;
}

/** Throws, and gives the answer up, where it is another piece than was asked for, or a piece of another object. */
export function checkPiece(body: Readable, piece: Piece, attempt: string): void {
  const { from, to, contentRange, lengthBytes, etag, answeredEtag } = piece;
  const refuse = (error: DestinationError): never => {
    body.on("error", () => undefined).destroy();
    throw error;
  };
  if (etag !== undefined && answeredEtag !== undefined && etag !== answeredEtag)
    refuse(new DestinationError("not-found", `${attempt}: it was replaced while it was read`));
  const isAll = from === 0 && (to === undefined || (lengthBytes !== undefined && lengthBytes <= to + 1));
  const startsThere = contentRange !== undefined && Number(/^bytes (\d+)-/.exec(contentRange)?.[1]) === from;
  if (!isAll && !startsThere)
    refuse(
      new DestinationError("invalid", `${attempt}: a part of it was asked for, and something else was sent`, {
        hint: "something between here and the store does not know ranges: look for a proxy",
      }),
    );
}

function isByteCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
