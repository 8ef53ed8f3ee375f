/** What a terminal or a log could act on: control characters, line and paragraph separators, bidirectional overrides. */
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Text from a file that others may write to: cut to `maxChars`, unsafe characters shown as U+FFFD. Tab and line feed stay. */
export function cleanText(text: string, maxChars: number): string {
  const cut = text.length > maxChars ? `${text.slice(0, maxChars - 1).toWellFormed()}…` : text.toWellFormed();
  return cut.replaceAll(UNSAFE, "\uFFFD");
}

/** A base name: not empty, no slash, no control characters, not `.` or `..`, at most 255 characters. */
export function isPlainName(name: string): boolean {
  if (name === "" || name === "." || name === ".." || name.length > 255 || !name.isWellFormed()) return false;
  return !name.includes("/") && name.search(/[\n\t]/) < 0 && name.search(UNSAFE) < 0;
}

/** As `isPlainName`, but with all that a file's name may hold, line breaks too; whoever shows it has to escape it. */
export function isFileName(name: string): boolean {
  if (name === "" || name === "." || name === ".." || name.length > 255 || !name.isWellFormed()) return false;
  return !name.includes("/") && !name.includes("\0");
}

/** `EROFS: read-only file system` of `EROFS: read-only file system, open '/data/x'`: the same text for every attempt. */
export function shortCause(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const short = "code" in Object(thrown) && /^E[A-Z0-9]+: /.test(text) ? (text.split(", ")[0] ?? text) : text;
  return cleanText(short.replaceAll(/\s*\n\s*/g, " "), 300);
}
