import { describe, expect, it } from "vitest";
import type { RunReport } from "../contracts/run.ts";
import { completeReport } from "../state/fixtures/sample-report.ts";
import { defaultMessage } from "./messages.ts";

function messageOf(report: RunReport, before?: RunReport): { title: string; body: string } {
  return defaultMessage({ kind: "run", report, previous: before, lastGood: before, log: ["first line", "last line"] });
}

describe("the default text of a run", () => {
  it("says what there is, how it changed, where it lies, and how the log ended", () => {
    const before = completeReport({ status: "success" });
    const { archive } = before;
    if (archive === undefined) throw new Error("the sample has an archive");
    const counts = { ...archive.counts, files: archive.counts.files - 3 };
    const { title, body } = messageOf(
      completeReport({ status: "success", archive: { ...archive, sizeBytes: 2_500_000, counts } }),
      { ...before, archive: { ...archive, sizeBytes: 1_000_000 } },
    );
    expect(title).toBe("Backup of site succeeded");
    for (const part of [
      "Status: success",
      "Archive: backup-2026-11-22T21-30-00.tar.gz (2.5 MB, 9997 files)",
      "Change: 1.5 MB more and 3 files fewer than the last good one",
      "Took: ",
      "Stored at:\n- local:/archive (checked: sha256)",
      "Log:\n- first line\n- last line",
    ]) {
      expect(body).toContain(part);
    }
    expect(body).not.toContain("What to do");
  });

  it("keeps a hostile name on its line and without control characters", () => {
    const { body } = messageOf(
      completeReport({
        status: "partial",
        error: "/backup/\u001b[31ma\nStored at:\u202e 🎉 can't be read",
        deliveries: [],
        warnings: [],
        prunes: [],
      }),
    );
    expect(body).toContain("- /backup/\\u{1b}[31ma\\nStored at:\\u{202e} 🎉 can't be read\n");
  });

  it("names each thing that went wrong once, and what to do", () => {
    const delivery = completeReport().deliveries[0];
    if (delivery === undefined) throw new Error("the sample has a delivery");
    const failed = { ...delivery, destination: "s3:bucket", status: "failed" as const, error: "status 403: denied" };
    const { title, body } = messageOf(
      completeReport({
        status: "partial",
        error: "s3:bucket: status 403: denied",
        deliveries: [delivery, failed],
        warnings: [{ level: "warning", text: "2 files are missing" }],
      }),
    );
    expect(title).toBe("Backup of site partly succeeded");
    expect(body.match(/status 403: denied/g)).toHaveLength(1);
    expect(body).toContain("- 2 files are missing");
    expect(body).toMatch(/What to do: .*lifeboat check/);
  });
});
