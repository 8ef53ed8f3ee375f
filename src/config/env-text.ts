import { isUtf8 } from "node:buffer";

/** An env file's text with `\n` line ends, and what is wrong with single lines of it. */
export interface EnvText {
  readonly text: string;
  /** Line (from 1) -> what is wrong, for bytes that may stand nowhere in the file. */
  readonly badLines: Map<number, string>;
}

/** A file with more damaged lines than this is no text; nobody reads on. */
const MOST_BAD_LINES = 100;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Decodes the file; a byte order mark is skipped. Damaged lines keep their place in the text. */
export function decodeEnvText(content: Uint8Array): EnvText {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  if (startsWith(bytes, [0xff, 0xfe]) || startsWith(bytes, [0xfe, 0xff])) {
    return { text: "", badLines: new Map([[1, "the file is UTF-16; save it as UTF-8"]]) };
  }
  const start = startsWith(bytes, [0xef, 0xbb, 0xbf]) ? 3 : 0;
  // The last line may end with the first half of a line end.
  const body = bytes.subarray(start, bytes.at(-1) === CARRIAGE_RETURN ? -1 : undefined);
  const text = body.toString("utf8").replaceAll("\r\n", "\n");
  const isClean = isUtf8(body) && !text.includes("\0") && !text.includes("\r");
  return { text, badLines: isClean ? new Map<number, string>() : findBadLines(body) };
}

function findBadLines(body: Buffer): Map<number, string> {
  const bad = new Map<number, string>();
  let line = 1;
  for (let at = 0; at <= body.length && bad.size < MOST_BAD_LINES; line += 1) {
    const found = body.indexOf(LINE_FEED, at);
    const end = found === -1 ? body.length : found;
    const isCrlf = found !== -1 && end > at && body[end - 1] === CARRIAGE_RETURN;
    const problem = problemOf(body.subarray(at, isCrlf ? end - 1 : end));
    if (problem !== undefined) bad.set(line, problem);
    at = end + 1;
  }
  return bad;
}

function problemOf(line: Buffer): string | undefined {
  if (line.includes(0)) return "contains a NUL byte";
  if (line.includes(CARRIAGE_RETURN)) return "contains a carriage return that is not part of a line end";
  return isUtf8(line) ? undefined : "contains bytes that are not UTF-8";
}

function startsWith(bytes: Buffer, prefix: readonly number[]): boolean {
  return prefix.every((byte, index) => bytes[index] === byte);
}
