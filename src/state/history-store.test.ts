import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { completeReport, nthReport, smallReport } from "./fixtures/sample-report.ts";
import { openHistory } from "./history.ts";
import type { History } from "./history.ts";
import { processIdentity } from "./process.ts";

let folder = "";

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
});

afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

/** The same answers, whether they come from SQLite or from memory. */
describe.each(["history.db", "memory"])("runs kept in %s", (where) => {
  const open = async (): Promise<History> => {
    const stateDir = path.join(folder, "state");
    if (where === "memory") fs.writeFileSync(stateDir, "not a folder");
    const history = await openHistory({ stateDir, onNote: () => {}, now: () => Date.UTC(2026, 0, 20) });
    expect(path.basename(history.where)).toBe(where);
    expect(history.persistent).toBe(where !== "memory");
    return history;
  };

  it("come back as they were", async () => {
    const history = await open();
    const reports = [
      completeReport(),
      nthReport(1),
      nthReport(2, { status: "failed", error: "why", warnings: [{ level: "note", text: "" }] }),
    ];
    for (const report of reports) history.begin(report);
    for (const report of reports) expect(history.run(report.id)).toEqual(report);
    expect(history.runs()).toEqual([reports[0], reports[2], reports[1]]);
    expect(history.run("nothing")).toBeUndefined();
    history.close();
  });

  it("are replaced whole by an update", async () => {
    const history = await open();
    history.begin(completeReport({ status: "running" }));
    const after = smallReport({ steps: completeReport().steps.slice(0, 1) });
    history.update(after);
    expect(history.runs()).toEqual([after]);
    history.close();
  });

  it("are filtered and limited, newest first", async () => {
    const history = await open();
    for (let n = 0; n < 150; n += 1)
      history.begin(nthReport(n, { job: n % 3 === 0 ? "a" : "b", status: n % 2 === 0 ? "success" : "failed" }));
    const ids = (list: readonly { id: string }[]): string[] => list.map((run) => run.id);
    expect(history.runs()).toHaveLength(100);
    expect(history.runs({ limit: 1000 })).toHaveLength(150);
    expect(history.runs({ limit: Number.POSITIVE_INFINITY })).toHaveLength(150);
    expect(history.runs({ limit: 0 })).toEqual([]);
    expect(ids(history.runs({ limit: 2 }))).toEqual([nthReport(149).id, nthReport(148).id]);
    expect(ids(history.runs({ job: "a", limit: 2 }))).toEqual([nthReport(147).id, nthReport(144).id]);
    expect(ids(history.runs({ status: "failed", job: "a", limit: 2 }))).toEqual([nthReport(147).id, nthReport(141).id]);
    expect(ids(history.runs({ sinceMs: Date.parse(nthReport(148).startedAt) }))).toEqual([
      nthReport(149).id,
      nthReport(148).id,
    ]);
    expect(history.lastGood("a")?.id).toBe(nthReport(144).id);
    expect(history.lastGood("nobody")).toBeUndefined();
    history.close();
  });

  it("are marked as interrupted where their process is gone", async () => {
    const history = await open();
    history.begin(nthReport(1, { status: "running", pid: process.pid }));
    history.begin(nthReport(2, { status: "running" }));
    history.begin(nthReport(3, { status: "running", pid: 0x7fff_fff0, error: "already failing" }));
    history.begin(nthReport(4));
    const own = processIdentity(process.pid);
    const healed = history.markInterrupted(
      (identity) => identity.pid === own?.pid && identity.startTime === own.startTime,
      "killed",
    );
    expect(healed.map((run) => run.id).sort()).toEqual([nthReport(2).id, nthReport(3).id]);
    expect(history.run(nthReport(2).id)).toMatchObject({
      status: "interrupted",
      error: "killed",
      endedAt: "2026-01-20T00:00:00.000Z",
    });
    expect(history.run(nthReport(3).id)).toMatchObject({ error: "killed; before that: already failing" });
    expect(history.run(nthReport(1).id)?.status).toBe("running");
    expect(history.markInterrupted(() => true, "again")).toEqual([]);
    history.close();
  });

  it("are imported once, without their pid", async () => {
    const history = await open();
    history.begin(nthReport(3, { error: "mine" }));
    const records = Array.from({ length: 450 }, (_, n) => nthReport(n, { pid: 7, error: "theirs" }));
    expect(history.importReports(records)).toBe(449);
    expect(history.importReports(records)).toBe(0);
    expect(history.importReports([nthReport(900), nthReport(900)])).toBe(1);
    expect(history.run(nthReport(3).id)?.error).toBe("mine");
    expect(history.run(nthReport(4).id)).toEqual(nthReport(4, { error: "theirs" }));
    history.close();
  });

  it("are forgotten when old, but for each job's newest run and newest success", async () => {
    const history = await open();
    const day = 24 * 60;
    history.begin(nthReport(0, { status: "running" }));
    for (const n of [1, 2, 3]) history.begin(nthReport(n * day, { job: "a", status: n === 2 ? "success" : "failed" }));
    history.begin(nthReport(4 * day, { job: "b" }));
    for (const n of [5, 18, 19]) history.begin(nthReport(n * day, { job: "c" }));
    expect(history.prune(0)).toBe(0);
    expect(history.prune(Number.NaN)).toBe(0);
    expect(history.prune(7)).toBe(2);
    expect(
      history
        .runs()
        .map((run) => run.id)
        .sort(),
    ).toEqual([0, 2, 3, 4, 18, 19].map((n) => nthReport(n * day).id).sort());
    history.close();
  });
});
