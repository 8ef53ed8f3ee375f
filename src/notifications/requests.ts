import type { NotificationMessage } from "../contracts/notification.ts";
import type { Answer, HttpRequest } from "./service.ts";
import { encodeForm } from "./url/percent.ts";

type Headers = Readonly<Record<string, string>>;

/** A POST of a JSON value; undefined members are left out. */
export function postJson(url: string, value: unknown, headers: Headers = {}): HttpRequest {
  return {
    method: "POST",
    url,
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(value),
  };
}

export function postForm(url: string, pairs: Iterable<readonly [string, string]>, headers: Headers = {}): HttpRequest {
  return {
    method: "POST",
    url,
    headers: { "Content-Type": "application/x-www-form-urlencoded", ...headers },
    body: encodeForm(pairs),
  };
}

export function basicAuth(user: string, password: string): Headers {
  return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
}

/** The members of an object whose text is not empty. */
export function nonEmpty(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ""));
}

/** The title of a message: the sender's, even an empty one, else the URL's. */
export function titleOf(message: NotificationMessage, ofUrl = ""): string {
  return message.title ?? ofUrl;
}

/** On one line and without control characters, for headers, subjects and what is shown of answers. */
export function onOneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what must not get through
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
}

/** The answer as a JSON object; undefined where it is none. */
export function jsonObject({ text }: Answer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    // No JSON: the caller decides what that means.
    return undefined;
  }
}

export const BODY_LOST = "a redirect dropped the text on its way; write the address that it leads to into the URL";

/** For services that answer in JSON, but whose servers may as well say nothing: a web page behind a redirect is no receipt. */
export function refusesWithoutBody(answer: Answer): string | undefined {
  return answer.isBodyLost === true && jsonObject(answer) === undefined ? BODY_LOST : undefined;
}

/** For services that say in a JSON member whether they took it. */
export function wantsJson(member: string, good: unknown, reason: string): (answer: Answer) => string | undefined {
  return (answer) => {
    const value = jsonObject(answer);
    if (value === undefined) return "the answer is no JSON object, so the message may not have arrived";
    if (value[member] === good) return undefined;
    const said = value[reason];
    return typeof said === "string" && said !== "" ? said : "the service reports a failure";
  };
}
