import { expect, it } from "vitest";
import type { DeliveryReport, RunReport, StepReport } from "../contracts/run.ts";
import { afterLaterDeliveries, waitingRun } from "./later-delivery.ts";

const step: StepReport = {
  phase: "deliver",
  target: "later",
  startedAt: "2026-11-22T22:00:00.000Z",
  durationMs: 60_000,
  outcome: "ok",
};
const stored = (destination: string): DeliveryReport => ({
  destination,
  kind: "ssh",
  status: "stored",
  sizeBytes: 10,
  durationMs: 5,
  attempts: 1,
});
const failed = (destination: string, error = "refused"): DeliveryReport => ({
  destination,
  kind: "ssh",
  status: "failed",
  durationMs: 5,
  attempts: 4,
  error,
});

function run(deliveries: readonly DeliveryReport[], more: Partial<RunReport> = {}): RunReport {
  const first = deliveries.find(({ status }) => status === "failed");
  return {
    version: 1,
    id: "20261122T213000Z-a1b2c3",
    job: "site",
    host: "host",
    lifeboat: "0",
    trigger: "schedule",
    status: deliveries.some(({ status }) => status === "stored") ? "partial" : "failed",
    firedAt: "2026-11-22T21:30:00.000Z",
    startedAt: "2026-11-22T21:30:00.000Z",
    endedAt: "2026-11-22T21:40:00.000Z",
    archive: {
      name: "site.tar.gz",
      sizeBytes: 10,
      sha256: "0".repeat(64),
      compression: "gz",
      compressor: "zlib",
      counts: { files: 1, directories: 0, symlinks: 0, hardlinks: 0, others: 0 },
      bytesRead: 10,
      incomplete: 0,
    },
    steps: [
      { phase: "archive", startedAt: "2026-11-22T21:30:00.000Z", durationMs: 1, outcome: "ok" },
      { phase: "deliver", startedAt: "2026-11-22T21:31:00.000Z", durationMs: 1, outcome: "failed" },
    ],
    deliveries,
    prunes: [],
    warnings: [],
    ...(first === undefined ? {} : { error: `${first.destination}: ${first.error ?? ""}` }),
    ...more,
  };
}

it("only the last run that did something waits, if a delivery of its archive failed", () => {
  const waits = run([stored("a"), failed("b")]);
  expect(waitingRun([{ ...run([]), status: "skipped", steps: [] }, waits])).toBe(waits);
  expect(waitingRun([run([stored("a")]), waits])).toBeUndefined();
  const { archive: _, ...without } = waits;
  expect(waitingRun([without])).toBeUndefined();
  expect(waitingRun([{ ...waits, status: "running" }])).toBeUndefined();
  expect(waitingRun([])).toBeUndefined();
});

it("makes a run a success once everything is stored, and says when and after how many attempts", () => {
  const report = afterLaterDeliveries(run([stored("a"), failed("b")]), [stored("b")], step);
  expect(report.status).toBe("success");
  expect(report).not.toHaveProperty("error");
  expect(report.deliveries[1]).toMatchObject({
    status: "stored",
    attempts: 5,
    deliveredAt: "2026-11-22T22:01:00.000Z",
  });
  expect(report.steps.map(({ phase, outcome }) => `${phase} ${outcome}`)).toEqual([
    "archive ok",
    "deliver ok",
    "deliver ok",
  ]);
});

it("is partial while something is missing still, and tells the newest reason", () => {
  const report = afterLaterDeliveries(run([failed("a"), failed("b")]), [stored("a"), failed("b", "full")], {
    ...step,
    outcome: "failed",
  });
  expect(report).toMatchObject({ status: "partial", error: "b: full" });
  const none = afterLaterDeliveries(run([failed("a")]), [failed("a", "full")], { ...step, outcome: "failed" });
  expect(none).toMatchObject({ status: "failed", error: "a: full", deliveries: [{ attempts: 8 }] });
});

it("forgets nothing else that was wrong with the run", () => {
  const timedOut = run([failed("a")], { error: "the run took longer than BACKUP_TIMEOUT (1h00m)" });
  expect(afterLaterDeliveries(timedOut, [stored("a")], step)).toMatchObject({
    status: "partial",
    error: "the run took longer than BACKUP_TIMEOUT (1h00m)",
  });
  const stopped = run([failed("a")], { status: "interrupted", error: "stopped by SIGTERM" });
  expect(afterLaterDeliveries(stopped, [stored("a")], step)).toMatchObject({
    status: "interrupted",
    error: "stopped by SIGTERM",
    deliveries: [{ status: "stored" }],
  });
});
