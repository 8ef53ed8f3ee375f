import { isAtOrBelow, plainPath } from "../archive/path-order.ts";
import { UsageError } from "./arguments.ts";

/** A path in an archive as a user gave it. */
export interface WantedPath {
  readonly text: string;
  /** What it can mean, as an index has paths: the bytes themselves, or what the escapes that `show` prints stand for. */
  readonly candidates: readonly Buffer[];
}

/** `/backup/html/` and `backup/html` are the same. The whole archive is `.` or `/`. */
export function wantedPath(text: string): WantedPath {
  if (text === "") throw new UsageError("a path in the archive is not empty");
  const candidates = [plainPath(Buffer.from(text))];
  const unescaped = unescape(text);
  if (unescaped !== undefined) candidates.push(plainPath(unescaped));
  return { text, candidates };
}

/** Whether an entry of this path, as its header has it, is wanted. */
export function isWanted(pathBytes: Buffer, wanted: WantedPath): boolean {
  const path = plainPath(pathBytes);
  return wanted.candidates.some((candidate) => isAtOrBelow(path, candidate));
}

/** The reverse of `printablePath`, or undefined where there is nothing to reverse. */
function unescape(text: string): Buffer | undefined {
  const escape = /\\(?:x([0-9a-f]{2})|u\{([0-9a-f]{1,6})\}|([ntr]))/g;
  const pieces: Buffer[] = [];
  let at = 0;
  for (const match of text.matchAll(escape)) {
    const [whole, byte, codePoint, letter = ""] = match;
    const code = Number.parseInt(codePoint ?? "0", 16);
    pieces.push(Buffer.from(text.slice(at, match.index)));
    if (byte !== undefined) pieces.push(Buffer.from(byte, "hex"));
    else if (codePoint === undefined) pieces.push(Buffer.from({ n: "\n", t: "\t", r: "\r" }[letter] ?? ""));
    else pieces.push(Buffer.from(code <= 0x10ffff ? String.fromCodePoint(code) : whole));
    at = match.index + whole.length;
  }
  if (pieces.length === 0) return undefined;
  return Buffer.concat([...pieces, Buffer.from(text.slice(at))]);
}
