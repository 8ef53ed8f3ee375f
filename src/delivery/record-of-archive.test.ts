import { expect, it } from "vitest";
import type { DeliveryReport, RunReport } from "../contracts/run.ts";
import { recordsByArchive } from "./record-of-archive.ts";

const LABEL = "local:/archive";

function record(id: string, name: string, ...outcomes: [label: string, status: DeliveryReport["status"]][]): RunReport {
  const deliveries = outcomes.map(([destination, status]) => ({
    destination,
    kind: "local" as const,
    status,
    durationMs: 1,
    attempts: 1,
  }));
  const archive = {
    name,
    sizeBytes: 1,
    sha256: "",
    compression: "gz" as const,
    compressor: "",
    counts: { files: 1, directories: 1, symlinks: 0, hardlinks: 0, others: 0 },
    bytesRead: 1,
    incomplete: 0,
  };
  const at = "2026-11-22T21:30:00.000Z";
  const empty = { steps: [], prunes: [], warnings: [] };
  const run = { version: 1, job: "site", host: "a", lifeboat: "1", trigger: "manual", status: "success" } as const;
  return { ...run, ...empty, id, firedAt: at, startedAt: at, archive, deliveries };
}

it.each([
  ["the newest that stored it", [record("2", "a", [LABEL, "stored"]), record("1", "a", [LABEL, "stored"])], "2"],
  ["not one whose delivery failed", [record("2", "a", [LABEL, "failed"]), record("1", "a", [LABEL, "stored"])], "1"],
  [
    "not one that was stored elsewhere only",
    [record("2", "a", [LABEL, "failed"], ["s3:x", "stored"]), record("1", "a", [LABEL, "stored"])],
    "1",
  ],
  ["one that knows the place by another name", [record("2", "a", ["local:/b", "stored"]), record("1", "a")], "2"],
  ["a failed one, where there is no other", [record("3", "b", [LABEL, "stored"]), record("2", "a")], "2"],
])("an archive's record is %s", (_what, records, id) => {
  expect(recordsByArchive(records, LABEL).get("a")?.id).toBe(id);
});
