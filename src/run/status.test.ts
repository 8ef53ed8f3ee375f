import { describe, expect, it } from "vitest";
import type { DeliveryReport } from "../contracts/run.ts";
import { exitCodeOf, overallStatus, worstExitCode, type StatusInput } from "./status.ts";

const stored: DeliveryReport = { destination: "local:/a", kind: "local", status: "stored", durationMs: 1, attempts: 1 };
const failed: DeliveryReport = { ...stored, destination: "s3:b", kind: "s3", status: "failed", error: "denied" };
const good: StatusInput = {
  interrupted: false,
  skipped: false,
  steps: [],
  deliveries: [stored],
  prunes: [],
  warnings: [],
  fatal: undefined,
};
const step = (phase: "post" | "record" | "prune", outcome: "ok" | "failed" | "warning") => ({
  phase,
  outcome,
  startedAt: "2026-01-01T00:00:00Z",
  durationMs: 1,
});

describe("overallStatus", () => {
  it.each<[string, Partial<StatusInput>, string]>([
    ["stored everywhere", {}, "success"],
    ["one of two deliveries failed", { deliveries: [stored, failed] }, "partial"],
    ["every delivery failed", { deliveries: [failed] }, "failed"],
    ["no destination at all", { deliveries: [] }, "failed"],
    ["something fatal, although stored", { fatal: "no file" }, "failed"],
    ["a post command failed", { steps: [step("post", "failed")] }, "partial"],
    ["a prune failed", { prunes: [{ destination: "local:/a", kept: 1, removed: [], error: "denied" }] }, "partial"],
    ["content is missing", { warnings: [{ level: "warning", text: "1 path: could not be read" }] }, "partial"],
    ["only a note", { warnings: [{ level: "note", text: "sockets" }] }, "success"],
    ["the record failed", { steps: [step("record", "failed")] }, "success"],
    ["interrupted after it was stored", { interrupted: true }, "interrupted"],
    ["interrupted and failed", { interrupted: true, fatal: "x" }, "interrupted"],
    ["skipped", { skipped: true, deliveries: [] }, "skipped"],
  ])("%s", (_title, change, expected) => {
    expect(overallStatus({ ...good, ...change })).toBe(expected);
  });
});

it("gives the exit codes of the documentation", () => {
  expect(exitCodeOf("success", false)).toBe(0);
  expect(exitCodeOf("partial", false)).toBe(3);
  expect(exitCodeOf("failed", false)).toBe(1);
  expect(exitCodeOf("interrupted", false)).toBe(1);
  expect(exitCodeOf("failed", true)).toBe(4);
});

it.each([
  [[], 0],
  [[0, 0], 0],
  [[0, 3], 3],
  [[3, 4], 4],
  [[4, 1], 1],
  [[1, 5, 3], 5],
])("of %j the worst is %i", (codes, worst) => {
  expect(worstExitCode(codes)).toBe(worst);
});
