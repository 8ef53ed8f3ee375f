import { expect, it } from "vitest";
import type { Log } from "../contracts/log.ts";
import { createProgress, progressBar, progressText, type ProgressState } from "./progress.ts";

const state: ProgressState = {
  phase: "archive",
  files: 1204,
  bytesRead: 250_000_000,
  bytesWritten: 90_000_000,
  expectedBytes: 1_000_000_000,
  startedAtMs: 0,
};

it("tells rate and remaining time where the last archive gives an idea of the whole", () => {
  expect(progressText(state, 5_000)).toBe("1,204 files, 250 MB of about 1.0 GB, 50.0 MB/s, about 15s left");
  expect(progressText({ ...state, expectedBytes: 0 }, 5_000)).toBe("1,204 files, 250 MB, 50.0 MB/s");
  expect(progressText({ ...state, expectedBytes: 1000 }, 5_000)).not.toContain("left");
});

it.each([200, 100, 80, 40, 10, 1])("fits a terminal of %i columns", (columns) => {
  expect(progressBar(state, 5_000, columns).length).toBeLessThanOrEqual(columns);
});

it("draws a quarter of the bar for a quarter of the bytes", () => {
  expect(progressBar(state, 5_000, 200)).toMatch(/^#{8}-{22} {2}/);
});

it("writes a line every 30 seconds where there is no terminal, and keeps the state every second", () => {
  const lines: string[] = [];
  let saved = 0;
  let nowMs = 0;
  const add = (text: string): void => void lines.push(text);
  const log: Log = { debug: add, info: add, warn: add, error: add, with: () => log };
  const progress = createProgress({
    log,
    clock: { now: () => nowMs },
    expectedBytes: 0,
    terminal: undefined,
    save: () => (saved += 1),
  });
  progress.phase("archive");
  for (nowMs = 0; nowMs <= 95_000; nowMs += 250)
    progress.update({ files: 1, bytesRead: 1, bytesWritten: 1, current: "/a" });
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^archive: 1 files/);
  expect(saved).toBeGreaterThan(90);
  expect(saved).toBeLessThan(100);
  progress.end();
  progress.update({ files: 2, bytesRead: 2, bytesWritten: 2, current: "/b" });
  expect(lines).toHaveLength(3);
});

it("says that the archive is made, with its totals, once it is only on its way", () => {
  const saved: ProgressState[] = [];
  const log: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => log };
  const options = { log, clock: { now: () => 0 }, expectedBytes: 0, terminal: undefined };
  const progress = createProgress({ ...options, save: (now) => saved.push(now) });
  progress.phase("archive");
  progress.complete({ files: 3, bytesRead: 30, bytesWritten: 20 });
  progress.end();
  expect(saved.at(-1)).toMatchObject({ phase: "deliver", files: 3, bytesRead: 30, bytesWritten: 20 });
});
