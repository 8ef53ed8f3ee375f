import type { ByteRange } from "../contracts/destination.ts";
import { DestinationError } from "../lib/errors.ts";

/** Throws `invalid` for a range that no object could have. */
export function checkRange(range: ByteRange | undefined, attempt: string): void {
  if (range === undefined || (isByteCount(range.offset) && isByteCount(range.length))) return;
  throw new DestinationError("invalid", `${attempt}: the range ${range.offset}+${range.length} makes no sense`);
}

function isByteCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
