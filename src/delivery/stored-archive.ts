import { createHash } from "node:crypto";
import { formatBytes } from "../lib/bytes.ts";
import { DestinationError } from "../lib/errors.ts";
import { openGrowingFile } from "./growing-file.ts";
import type { Deliverable } from "./deliver.ts";
import type { ArchiveFacts, ArchiveReader } from "./reader.ts";

/** A finished archive in a file, to be sent once more. */
export interface StoredArchive extends Deliverable {
  close(): Promise<void>;
}

/**
 * Opens it if it still is what the run made. While it is read its bytes are compared with the run's SHA-256: a file that
 * was damaged in the meantime fails at its end, before a store could give it a name. Rejects where it is not there or of
 * another size.
 */
export async function openStoredArchive(path: string, facts: ArchiveFacts): Promise<StoredArchive> {
  const file = await openGrowingFile(path, facts.sizeBytes);
  const found = await file.sizeBytes();
  if (found !== facts.sizeBytes) {
    await file.close();
    throw new DestinationError(
      "invalid",
      `the archive to send again has ${formatBytes(found)} instead of ${formatBytes(facts.sizeBytes)}`,
    );
  }
  file.grew(facts.sizeBytes);
  file.complete(facts);
  return {
    finished: file.finished,
    openReader: () => proven(file.openReader(), facts),
    local: undefined,
    localFailure: undefined,
    publishLocal: () => Promise.reject(new Error("it has its name already")),
    close: () => file.close(),
  };
}

function proven(reader: ArchiveReader, facts: ArchiveFacts): ArchiveReader {
  const hash = createHash("sha256");
  let hashedBytes = 0;
  let digest: string | undefined;
  return {
    ...reader,
    sizeBytes: facts.sizeBytes,
    estimateBytes: facts.sizeBytes,
    async *read(offset, signal) {
      let at = offset;
      for await (const chunk of reader.read(offset, signal)) {
        const isNew = at <= hashedBytes && at + chunk.byteLength > hashedBytes;
        if (isNew) {
          hash.update(chunk.subarray(hashedBytes - at));
          hashedBytes = at + chunk.byteLength;
        }
        at += chunk.byteLength;
        if (hashedBytes === facts.sizeBytes) digest ??= hash.digest("hex");
        if (digest !== undefined && digest !== facts.sha256)
          throw new DestinationError("invalid", "the archive to send again was changed since it was made");
        yield chunk;
      }
    },
  };
}
