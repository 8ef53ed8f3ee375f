import { describe, expect, it } from "vitest";
import { cronCases } from "./cron-cases.ts";
import { deviations } from "./deviations.ts";
import { isOwnCopy } from "./recorded.ts";

describe("deliberate deviations", () => {
  it.each(deviations)("$file: $reason", (deviation) => {
    expect(deviation.reason).not.toBe("");
    expect(deviation.file).toBe("cron");
    const covered = cronCases.filter(({ expression }) => deviation.covers(expression));
    expect(covered.length).toBeGreaterThanOrEqual(isOwnCopy ? 1 : 0);
  });
});
