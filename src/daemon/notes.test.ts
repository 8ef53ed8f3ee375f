import { expect, it } from "vitest";
import { createNoteKeeper, type Notes } from "./notes.ts";
import { skippedReport } from "./reports.ts";

const skipped = (job: string): ReturnType<typeof skippedReport> =>
  skippedReport({ job, trigger: "schedule", firedAtMs: 0 }, { host: "h", version: "v", nowMs: 0 });

it("says which jobs' skipped runs were handed on since their last run", async () => {
  const written: Notes[] = [];
  const notes = createNoteKeeper(async (kept) => {
    written.push(kept);
    return true;
  });
  for (const job of ["a", "a", "b"]) {
    notes.add(skipped(job));
    await notes.flush();
  }
  notes.runEnded("a");
  notes.add(skipped("a"));
  await notes.flush();
  expect(written.map(({ reports, skipsTold }) => [reports.map(({ job }) => job), skipsTold])).toEqual([
    [["a"], []],
    [["a"], ["a"]],
    [["b"], ["a"]],
    [["a"], ["b"]],
  ]);
});

it("keeps what nobody could take, and hands it on with what comes next", async () => {
  const written: Notes[] = [];
  let taken = false;
  const notes = createNoteKeeper(async (kept) => {
    written.push(kept);
    return taken;
  });
  notes.add(skipped("a"));
  await notes.flush();
  taken = true;
  notes.add(skipped("b"));
  await notes.flush();
  await notes.flush();
  expect(written.map(({ reports, skipsTold }) => [reports.map(({ job }) => job), skipsTold])).toEqual([
    [["a"], []],
    [["a", "b"], []],
  ]);
});
