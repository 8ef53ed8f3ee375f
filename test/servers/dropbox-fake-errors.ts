/** An answer of Dropbox's API that is no success, in the form of its documentation. */
export class ApiError extends Error {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    super(typeof body === "string" ? body : JSON.stringify(body));
    this.status = status;
    this.body = body;
    this.headers = headers;
  }

  /** `tagged("path", "not_found")` -> 409 `{"error_summary":"path/not_found/..","error":{".tag":"path","path":{".tag":"not_found"}}}` */
  static tagged(...tags: readonly string[]): ApiError {
    return ApiError.with({}, ...tags);
  }

  /** The same, with members beside the innermost tag. */
  static with(extra: Readonly<Record<string, unknown>>, ...tags: readonly string[]): ApiError {
    return new ApiError(409, { error_summary: `${tags.join("/")}/..`, error: nested(tags, extra) });
  }

  /** What a commit may say about its path; `reason` lies beside the tag, as in `UploadWriteFailed`. */
  static write(...tags: readonly string[]): ApiError {
    return new ApiError(409, {
      error_summary: `path/${tags.join("/")}/..`,
      error: { ".tag": "path", path: nested(tags, {}) },
    });
  }

  static unauthorised(tag: string, extra: Readonly<Record<string, unknown>> = {}): ApiError {
    return new ApiError(401, { error_summary: `${tag}/..`, error: { ".tag": tag, ...extra } });
  }

  /** Wrong arguments are plain text. */
  static badCall(route: string, why: string): ApiError {
    return new ApiError(400, `Error in call to API function "${route}": ${why}`);
  }

  static tooManyRequests(retryAfterS: number): ApiError {
    return new ApiError(
      429,
      {
        error_summary: "too_many_requests/..",
        error: { reason: { ".tag": "too_many_requests" }, retry_after: retryAfterS },
      },
      { "Retry-After": String(retryAfterS) },
    );
  }
}

function nested(tags: readonly string[], extra: Readonly<Record<string, unknown>>): unknown {
  const [first, ...rest] = tags;
  if (first === undefined) return extra;
  if (rest.length === 0) return { ".tag": first, ...extra };
  return { ".tag": first, [first]: nested(rest, extra) };
}
