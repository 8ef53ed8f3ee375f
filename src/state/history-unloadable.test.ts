import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, it, vi } from "vitest";
import { nthReport } from "./fixtures/sample-report.ts";
import { openHistory } from "./history.ts";

vi.mock("better-sqlite3", () => ({
  default: class {
    constructor() {
      throw new Error("Could not load the native addon");
    }
  },
}));

it("lives in memory where SQLite's native part does not load", async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
  const notes: string[] = [];
  const history = await openHistory({ stateDir: folder, onNote: (text) => notes.push(text) });
  history.begin(nthReport(1));
  expect([history.where, history.runs()]).toEqual(["memory", [nthReport(1)]]);
  history.close();
  expect(notes).toEqual([expect.stringContaining("does not load")]);
  fs.rmSync(folder, { recursive: true });
});
