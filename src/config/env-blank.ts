/** White space within a line, as the image that Lifeboat replaces trims it (Go's `unicode.IsSpace` without the line feed). */
const BLANKS =
  "\t\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";

export function isBlank(character: string | undefined): boolean {
  return character !== undefined && character !== "" && BLANKS.includes(character);
}

/** First position from `from` that is not blank, `end` at most. */
export function skipBlanks(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && isBlank(text[at])) at += 1;
  return at;
}

/** Where the text from `from` to `end` ends without the blanks at its end. */
export function endWithoutBlanks(text: string, from: number, end: number): number {
  let last = end;
  while (last > from && isBlank(text[last - 1])) last -= 1;
  return last;
}
