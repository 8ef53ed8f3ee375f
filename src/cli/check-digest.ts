import { createHash } from "node:crypto";
import { UserError } from "../lib/errors.ts";
import type { FoundArchive } from "./archives.ts";

/** Counts and hashes bytes on their way, to compare them with what the run's record says. */
export function createCheck({ object, record }: FoundArchive): {
  through(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;
  /** @throws UserError where the bytes are not those that the run stored. */
  verify(): void;
} {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  return {
    async *through(source) {
      for await (const chunk of source) {
        hash.update(chunk);
        sizeBytes += chunk.byteLength;
        yield chunk;
      }
    },
    verify() {
      const expected = record?.archive;
      if (expected === undefined) return;
      if (expected.sizeBytes === sizeBytes && expected.sha256 === hash.digest("hex")) return;
      throw new UserError(`${object.name} is damaged: its bytes are not those that the run stored`, {
        hint: "try the copy at another destination (--from), or an older archive",
      });
    },
  };
}
