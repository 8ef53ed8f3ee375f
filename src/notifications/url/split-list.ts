/**
 * Takes the comma-separated URLs of a setting apart: blanks around them go, empty ones too, exact repetitions count once.
 * Blanks and line breaks separate as well where another URL follows: panels and YAML write lists so.
 * A comma inside a URL is written `%2C`. One in a query that is not followed by another URL is forgiven where
 * `isUsable` likes the result: `…?to=a@x.test,b@x.test` means what it looks like.
 */
export function splitUrls(text: string, isUsable: (url: string) => boolean): readonly string[] {
  const urls: string[] = [];
  for (const piece of text.split(SEPARATOR).map((part) => part.trim())) {
    if (piece === "") continue;
    const previous = urls.at(-1);
    const joined = `${previous ?? ""},${piece}`;
    const mayBelong =
      previous?.includes("?") === true && joined.length <= LONGEST_FORGIVEN && !looksLikeUrl(piece, previous);
    if (mayBelong && isUsable(joined)) urls[urls.length - 1] = joined;
    else urls.push(piece);
  }
  return [...new Set(urls)];
}

const SEPARATOR = /,|\s(?=[a-z][a-z0-9+.-]*:\/\/)(?!https?:)/i;

/** What is longer is no URL; each comma in it would cost another look at all of it. */
const LONGEST_FORGIVEN = 8192;

/** A service, a colon and slashes. `https://` is a link inside an ntfy action; elsewhere somebody pasted a web address. */
function looksLikeUrl(piece: string, previous: string): boolean {
  if (/^https?:/i.test(piece)) return !/^ntfy:[^?]*\?(?:.*&)?actions=/is.test(previous);
  return /^(?:[a-z][a-z0-9+.-]*:\/|logger:)/i.test(piece);
}
