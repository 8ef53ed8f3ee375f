import type { BlockWriter } from "./block-writer.ts";
import type { CutRule } from "./blocks.ts";
import { padded } from "./blocks.ts";
import type { FileCalls } from "./file-calls.ts";
import type { PreparedHeader } from "./headers.ts";
import { writeHeader } from "./headers.ts";
import { writeZeros } from "./zeros.ts";

export interface StoredFile {
  /** `unreadable`: nothing was written. `shrunk`, `failed`: zeros stand for what could not be read. */
  readonly outcome: "whole" | "grew" | "shrunk" | "failed" | "unreadable";
  readonly bytesRead: number;
  readonly error?: unknown;
}

/**
 * Writes a file's header and exactly the content that the header promises, whatever happens to the file meanwhile.
 * `checkAbort` is called before each read and may throw.
 */
export function storeFile(
  calls: FileCalls,
  fd: number,
  header: PreparedHeader,
  writer: BlockWriter,
  rule: CutRule,
  checkAbort: () => void,
): StoredFile {
  const sizeBytes = header.entry.sizeBytes;
  writer.beginEntry(header.entry.path, header.bytes, sizeBytes);
  const start = writer.used;
  writeHeader(writer.buffer, start, header);
  writer.used += header.bytes;

  let bytesRead = 0;
  let outcome: StoredFile["outcome"] = "whole";
  let error: unknown;
  for (let done = 0; done < sizeBytes;) {
    checkAbort();
    if (done > 0 && done % rule.pieceBytes === 0) writer.cut();
    const pieceEnd = Math.min(sizeBytes, done - (done % rule.pieceBytes) + rule.pieceBytes);
    const wanted = pieceEnd - done;
    let got = wanted;
    if (outcome === "whole") {
      try {
        // One byte more than promised tells without a further call that the file has grown.
        got = calls.read(fd, writer.buffer, writer.used, pieceEnd === sizeBytes ? wanted + 1 : wanted);
      } catch (thrown) {
        error = thrown;
        if (done === 0) {
          writer.used = start;
          return { outcome: "unreadable", bytesRead: 0, error };
        }
        got = 0;
        outcome = "failed";
      }
      if (got > wanted) {
        got = wanted;
        outcome = "grew";
      } else if (got === 0 && outcome === "whole") {
        outcome = "shrunk";
      }
      bytesRead += got;
    }
    if (outcome === "shrunk" || outcome === "failed") {
      writeZeros(writer.buffer, writer.used, writer.used + wanted);
      got = wanted;
    }
    writer.used += got;
    done += got;
  }
  const padding = padded(sizeBytes) - sizeBytes;
  writeZeros(writer.buffer, writer.used, writer.used + padding);
  writer.used += padding;
  return { outcome, bytesRead, error };
}
