import { writeSync } from "node:fs";
import { messageOf, systemCode, UserError } from "../lib/errors.ts";
import { printablePath } from "../lib/printable.ts";

/** What a command may say, and how. Tests bring their own. */
export interface Output {
  /** Standard output: the answer. */
  print(text: string): void;
  /** Standard error: remarks, progress, refusals. */
  remark(text: string): void;
}

/** Writes at once, so that nothing is lost when the process ends; a reader that went away (`| head`) is no error. */
export const processOutput: Output = {
  print: (text) => writeAll(1, text),
  remark: (text) => writeAll(2, text),
};

/** A pipe that does not block and whose reader is slow is tried again after this. */
const RETRY_MS = 10;

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text.endsWith("\n") ? text : `${text}\n`);
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (thrown) {
      const code = systemCode(thrown);
      if (code === "EAGAIN") pause(RETRY_MS);
      else if (fd === 1 && (code === "ENOSPC" || code === "EIO")) {
        throw new UserError(`the answer could not be written: ${messageOf(thrown)}`, { cause: thrown });
      } else return;
    }
  }
}

/** Columns padded to their widest cell; numbers (`right`) aligned to the right. No trailing blanks, no control characters. */
export function table(
  header: readonly string[],
  texts: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const rows = texts.map((row) => row.map(printablePath));
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        right.includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return [header, ...rows].map(line).join("\n");
}
