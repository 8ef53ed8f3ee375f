import { describe, expect, it } from "vitest";
import type { NotificationLevel } from "../contracts/notification.ts";
import type { RunReport, RunStatus } from "../contracts/run.ts";
import { completeReport } from "../state/fixtures/sample-report.ts";
import { eventName, isTold, type NotificationEvent } from "./events.ts";

const STATUSES: readonly RunStatus[] = ["success", "partial", "failed", "skipped", "interrupted"];
const PREVIOUS: readonly (RunStatus | undefined)[] = [undefined, ...STATUSES];
const LEVELS: readonly NotificationLevel[] = ["error", "info"];

function runEvent(status: RunStatus, previous: RunStatus | undefined): NotificationEvent {
  const report: RunReport = { ...completeReport(), status };
  const before = previous === undefined ? undefined : { ...completeReport(), status: previous };
  return { kind: "run", report, previous: before, lastGood: undefined, log: [] };
}

describe("who is told of a run", () => {
  // Status, level, previous status -> told or not; what it is called.
  const table = STATUSES.flatMap((status) =>
    LEVELS.flatMap((level) =>
      PREVIOUS.map((previous) => {
        const isRecovery = status === "success" && previous !== undefined && previous !== "success";
        return {
          status,
          level,
          previous: previous ?? "none",
          told: status !== "success" || level === "info",
          name: isRecovery ? "recovered" : status,
        };
      }),
    ),
  );
  it.each(table)(
    "$status after $previous at level $level: $told, as $name",
    ({ status, level, previous, told, name }) => {
      const event = runEvent(status, previous === "none" ? undefined : (previous as RunStatus));
      expect(isTold(level, event)).toBe(told);
      expect(eventName(event)).toBe(name);
    },
  );

  it.each(LEVELS)("a missed run, a backup that is too old, a broken configuration: at level %s too", (level) => {
    const broken = { ...completeReport(), status: "failed" as const, steps: [], error: "bad configuration: x" };
    const events: NotificationEvent[] = [
      { kind: "missed", job: "site", dueAtMs: 0, isCaughtUp: true },
      { kind: "too-old", job: "site", lastGoodAtMs: undefined, maxAgeMs: 1 },
      { kind: "run", report: broken, previous: undefined, lastGood: undefined, log: [] },
    ];
    expect(events.map((event) => isTold(level, event))).toEqual([true, true, true]);
    expect(events.map(eventName)).toEqual(["missed", "too-old", "bad-config"]);
  });
});
