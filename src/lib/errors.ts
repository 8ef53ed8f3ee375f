import type { DestinationErrorCode } from "../contracts/destination.ts";

/**
 * An error that a user can act on: the message says what and where (lower case, concrete), the hint what to do.
 * Anything that is not one of these is a defect and is shown with "this is a bug".
 */
export class UserError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "UserError";
    this.hint = options.hint;
  }
}

/** A destination's refusal or failure, translated once at its edge. Only `unavailable` is worth another try. */
export class DestinationError extends UserError {
  readonly code: DestinationErrorCode;
  /** How long the store asked to be left alone (`Retry-After`), milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** The destination's own retries are used up: calling it again at once would only wait as long again. */
  readonly isFinal: boolean;

  constructor(code: DestinationErrorCode, message: string, options: DestinationErrorOptions = {}) {
    super(message, options);
    this.name = "DestinationError";
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.isFinal = options.isFinal ?? false;
  }
}

export interface DestinationErrorOptions {
  readonly hint?: string;
  readonly cause?: unknown;
  readonly retryAfterMs?: number;
  readonly isFinal?: boolean;
}

/** The text of anything thrown, on one line, without a stack. */
export function messageOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.replaceAll(/\s*[\r\n]+\s*/g, " ");
}

/** The `code` of a Node.js system error (`ENOENT`, …), if it is one. */
export function systemCode(thrown: unknown): string | undefined {
  if (thrown instanceof Error && "code" in thrown && typeof thrown.code === "string") return thrown.code;
  return undefined;
}
