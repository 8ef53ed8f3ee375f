/**
 * Why a notification URL can't be used. The message names the part or property and what is allowed, never what was
 * written: all of a URL may be secret.
 */
export class UrlProblem extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UrlProblem";
  }
}

/** @throws UrlProblem */
export function reject(message: string): never {
  throw new UrlProblem(message);
}
