/** Everything that Go's `unicode.IsSpace` calls white space; JavaScript's own set differs in two characters. */
const SPACES = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

const LONGEST_QUOTE = 120;

/** Go's `strings.TrimSpace`. */
export function trimGoSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && SPACES.test(text.charAt(start))) start += 1;
  while (end > start && SPACES.test(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/** Go's `strings.Fields`. */
export function goFields(text: string): string[] {
  return text.split(SPACES).filter((part) => part !== "");
}

/** A part of the user's text as it may stand in a message: not longer than a line. */
export function clipped(text: string): string {
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
}
