/**
 * Takes the comma-separated URLs of a setting apart: blanks around them go, empty ones too, exact repetitions count once.
 * A comma inside a URL is written `%2C`. One in a query that is not followed by another URL is forgiven where
 * `isUsable` likes the result: `…?to=a@x.test,b@x.test` means what it looks like.
 */
export function splitUrls(text: string, isUsable: (url: string) => boolean): readonly string[] {
  const urls: string[] = [];
  for (const piece of text.split(",").map((part) => part.trim())) {
    if (piece === "") continue;
    const previous = urls.at(-1);
    const joined = `${previous ?? ""},${piece}`;
    const mayBelong = previous?.includes("?") === true && joined.length <= LONGEST_FORGIVEN && !looksLikeUrl(piece);
    if (mayBelong && isUsable(joined)) urls[urls.length - 1] = joined;
    else urls.push(piece);
  }
  return [...new Set(urls)];
}

/** What is longer is no URL; each comma in it would cost another look at all of it. */
const LONGEST_FORGIVEN = 8192;

/** A service, a colon and slashes. `https://` alone is a link inside a value, such as an ntfy action's. */
function looksLikeUrl(piece: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:\/|logger:)/i.test(piece) && !/^https?:/i.test(piece);
}
