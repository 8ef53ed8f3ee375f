import type { DestinationErrorCode } from "../contracts/destination.ts";
import { DestinationError } from "../lib/errors.ts";

/** The one table that says which failures of a destination are worth another try. */
export const retriedCodes: Readonly<Record<DestinationErrorCode, boolean>> = {
  unavailable: true,
  "not-found": false,
  denied: false,
  full: false,
  invalid: false,
};

export function isTransient(thrown: unknown): boolean {
  return thrown instanceof DestinationError && retriedCodes[thrown.code] && !thrown.isFinal;
}
