import { describe, expect, it } from "vitest";
import { killUploads } from "./kill-uploads.ts";
import { faultKinds } from "./kinds.ts";

const TIMES = 10;

describe("a process that is killed while it uploads", () => {
  it.each(Object.values(faultKinds))(
    "$label: never half an archive, and the next run clears up",
    { timeout: 240_000 },
    async (kind) => {
      const outcome = await killUploads(kind, TIMES);
      expect(outcome.faults).toEqual([]);
      expect(outcome.kills).toBe(TIMES);
      // Kills that come in the middle are what proves something.
      expect(outcome.tooLate).toBeLessThan(TIMES - 2);
    },
  );
});
