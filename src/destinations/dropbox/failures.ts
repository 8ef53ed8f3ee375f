import type { DestinationErrorCode } from "../../contracts/destination.ts";
import { DestinationError, messageOf } from "../../lib/errors.ts";
import type { Redactor } from "../../lib/redact.ts";
import { connectionFailure } from "../connection-errors.ts";
import { retryAfterMs } from "../retry-after.ts";
import { beginningOf, type HttpAnswer } from "./transport.ts";

/** A refusal of Dropbox, with the tags of its error: `path/insufficient_space`. */
export class DropboxFailure extends DestinationError {
  /** Tags from the outside in, joined by slashes; empty where the answer was not Dropbox's. */
  readonly tag: string;
  readonly status: number;
  /** Of `incorrect_offset`: what the session holds. */
  readonly correctOffset: number | undefined;

  constructor(code: DestinationErrorCode, message: string, facts: Facts) {
    super(code, message, {
      ...(facts.hint === undefined ? {} : { hint: facts.hint }),
      ...(facts.retryAfterMs === undefined ? {} : { retryAfterMs: facts.retryAfterMs }),
    });
    this.tag = facts.tag;
    this.status = facts.status;
    this.correctOffset = facts.correctOffset;
  }
}

interface Facts {
  readonly tag: string;
  readonly status: number;
  readonly hint?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly correctOffset?: number | undefined;
}

export const LOGIN_HINT = "run `lifeboat dropbox-login` and set the new DROPBOX_REFRESH_TOKEN";

interface Meaning {
  readonly tag: RegExp;
  readonly code: DestinationErrorCode;
  readonly hint?: string;
}

/** The first that matches a tag. Tags are those of the API's documentation. */
const MEANINGS: readonly Meaning[] = [
  {
    tag: /insufficient_(?:space|quota)/,
    code: "full",
    hint: "the Dropbox is full: make room, or keep fewer archives (BACKUP_RETENTION_DAYS)",
  },
  { tag: /too_many_(?:write_operations|requests)|internal_error/, code: "unavailable" },
  {
    tag: /malformed_path|disallowed_name|payload_too_large/,
    code: "invalid",
    hint: "Dropbox does not take this name: change BACKUP_FILENAME or DROPBOX_REMOTE_PATH",
  },
  {
    tag: /no_write_permission|team_folder|restricted_content|locked|operation_suppressed/,
    code: "denied",
    hint: "the account may not write to the folder of DROPBOX_REMOTE_PATH",
  },
  {
    tag: /conflict|not_folder|not_file/,
    code: "invalid",
    hint: "a file stands where a folder is needed, or the other way round: look at DROPBOX_REMOTE_PATH and BACKUP_FILENAME",
  },
  {
    tag: /(?:invalid|expired)_access_token/,
    code: "denied",
    hint: LOGIN_HINT,
  },
  {
    tag: /user_suspended|route_access_denied|invalid_account_type|paper_access_denied|invalid_select/,
    code: "denied",
    hint: "look at the account and at the app in Dropbox's App Console (DROPBOX_APP_KEY)",
  },
  { tag: /not_found$/, code: "not-found" },
  { tag: /incorrect_offset|closed|concurrent_session|content_hash_mismatch|lookup_failed|reset/, code: "unavailable" },
];

/** Reads a refusal. `attempt` says what was tried, e.g. `cannot store x.tar in dropbox:/site`. */
export async function refusalOf(answer: HttpAnswer, redact: Redactor): Promise<DropboxFailure> {
  const text = redact(await answer.text());
  const error = parsed(text);
  const { status } = answer;
  const tag = tagOf(error);
  const waitMs =
    retryAfterMs(answer.header("retry-after")) ?? secondsAsMs(member(member(error, "error"), "retry_after"));
  const says = tag === "" ? beginningOf(text) : tag;
  const message = `Dropbox answered ${status}${says === "" ? "" : `: ${says}`}`;
  const scope = missingScope(error, text);
  if (scope !== undefined) {
    const hint = `switch the scope ${scope} on for the app (Permissions in the App Console), then ${LOGIN_HINT}`;
    return new DropboxFailure("denied", `${message} (${scope})`, { tag: "missing_scope", status, hint });
  }
  const meaning = tag === "" ? undefined : MEANINGS.find((entry) => entry.tag.test(tag));
  const { code, hint } = meaning ?? byStatus(status);
  const offset = findNumber(error, "correct_offset");
  return new DropboxFailure(code, message, { tag, status, hint, retryAfterMs: waitMs, correctOffset: offset });
}

function byStatus(status: number): { readonly code: DestinationErrorCode; readonly hint?: string } {
  if (status === 401 || status === 403) return { code: "denied", hint: LOGIN_HINT };
  if (status === 507) return { code: "full" };
  // 409 without a tag that is known: what Dropbox calls `other`.
  if (status === 408 || status === 409 || status === 425 || status === 429 || status >= 500)
    return { code: "unavailable" };
  return { code: "invalid", hint: "if DROPBOX_ENDPOINT is set, see whether it is right" };
}

/** Failures below HTTP, and answers that are not Dropbox's, in words; everything that is known already stays as it is. */
export function translated(thrown: unknown, signal: AbortSignal): unknown {
  if (signal.aborted || thrown instanceof DestinationError) return thrown;
  const failure = connectionFailure(thrown);
  const cause = { cause: thrown };
  if (failure === undefined)
    return new DestinationError("unavailable", `no usable answer: ${messageOf(thrown)}`, cause);
  const hint = hintFor(failure.kind);
  return new DestinationError(failure.code, failure.text, { ...cause, ...(hint === undefined ? {} : { hint }) });
}

function hintFor(kind: string): string | undefined {
  switch (kind) {
    case "certificate":
      return "something between here and Dropbox has a certificate of its own; NODE_EXTRA_CA_CERTS names a file with its authority";
    case "name":
    case "refused":
      return "see whether the container reaches the internet (and DROPBOX_ENDPOINT, where it is set)";
    default:
      return undefined;
  }
}

/** With what was attempted in front. */
export function attempted(thrown: unknown, attempt: string): unknown {
  if (!(thrown instanceof DestinationError) || thrown.message.startsWith(attempt)) return thrown;
  const { hint, retryAfterMs: waitMs, isFinal } = thrown;
  return new DestinationError(thrown.code, `${attempt}: ${thrown.message}`, {
    cause: thrown,
    isFinal,
    ...(hint === undefined ? {} : { hint }),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  });
}

/** `{".tag": "path", "path": {".tag": "not_found"}}` -> `path/not_found`; else what `error_summary` says. */
function tagOf(answer: unknown): string {
  const tags: string[] = [];
  let at = member(answer, "error");
  while (tags.length < 6) {
    const tag = typeof at === "string" ? at : member(at, ".tag");
    if (typeof tag !== "string" || tag === "") break;
    tags.push(tag);
    at = member(at, tag) ?? member(at, "reason");
  }
  const reason = member(member(member(answer, "error"), "reason"), ".tag");
  if (tags.length === 0 && typeof reason === "string") tags.push(reason);
  if (tags.length > 0) return tags.join("/");
  const summary = member(answer, "error_summary");
  return typeof summary === "string" ? summary.replace(/[/.\s]*$/, "") : "";
}

/** Of the token (401), or of the app itself (400, in words). */
function missingScope(answer: unknown, text: string): string | undefined {
  const named = member(member(answer, "error"), "required_scope");
  if (typeof named === "string") return named;
  if (/missing_scope/.test(text)) return "that the call needs";
  return /required scope '([\w.]+)'/.exec(text)?.[1];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Dropbox's own 400 and 429 are sometimes plain text.
    return undefined;
  }
}

export function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function findNumber(value: unknown, name: string, depth = 0): number | undefined {
  if (typeof value !== "object" || value === null || depth > 6) return undefined;
  const own = member(value, name);
  if (typeof own === "number") return own;
  for (const inner of Object.values(value)) {
    const found = findNumber(inner, name, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function secondsAsMs(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 ? value * 1000 : undefined;
}
