import { reject } from "./problem.ts";

/**
 * Decodes percent escapes as Go does: byte by byte, so that they need not be UTF-8. `what` names the part in the error.
 * @throws UrlProblem for a `%` without two hexadecimal digits
 */
export function decodePercent(text: string, what: string): string {
  if (!text.includes("%")) return text;
  if (/%(?![0-9a-fA-F]{2})/.test(text))
    reject(`a % in the ${what} is not followed by two hexadecimal digits; a percent sign is written %25`);
  const parts = text.split(/((?:%[0-9a-fA-F]{2})+)/);
  return parts.map((part, at) => (at % 2 === 1 ? decodeBytes(part) : part)).join("");
}

function decodeBytes(escapes: string): string {
  return Buffer.from(escapes.replaceAll("%", ""), "hex").toString("utf8");
}

/** In a query `+` means a blank. */
export function decodeQuery(text: string, what: string): string {
  return decodePercent(text.replaceAll("+", " "), what);
}

/** As HTML forms and Go's `url.Values` write it: blanks as `+`, all but `A-Za-z0-9-_.~` escaped. */
export function encodeForm(pairs: Iterable<readonly [key: string, value: string]>): string {
  return [...pairs].map(([key, value]) => `${encodeFormPart(key)}=${encodeFormPart(value)}`).join("&");
}

function encodeFormPart(text: string): string {
  return encodePart(text).replaceAll("%20", "+");
}

/** One part of a path; unlike `encodeURIComponent` it escapes `!'()*` as well and takes half a surrogate pair. */
export function encodePart(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
