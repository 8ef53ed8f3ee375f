import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ChildTask } from "../contracts/task.ts";
import { createChildLine } from "./child-line.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lifeboat-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const options = { stateDir: "/", lockFile: "/", logFormat: "text", logLevel: "info", templateFolders: [] } as const;
const NOTE: ChildTask = { kind: "note", options, reports: [], missed: [], skipsTold: [], jobs: [] };
const HEAL: ChildTask = { kind: "heal", options, jobs: [] };

const TEND: ChildTask = { kind: "tend", options, jobs: [], alerted: [] };

/** Writes when each task began and ended into the answer; how long it takes stands in its first job's place. */
function recordingChild(takesMs: Record<string, number>): string {
  const entry = join(root, "recording.mjs");
  writeFileSync(
    entry,
    `import { createInterface } from "node:readline"; import { writeSync } from "node:fs";
     createInterface({ input: process.stdin }).once("line", (line) => {
       const { kind } = JSON.parse(line), began = Date.now();
       setTimeout(() => { writeSync(3, JSON.stringify({ began, ended: Date.now() })); process.exit(0); }, ${JSON.stringify(takesMs)}[kind]);
     });`,
  );
  return entry;
}

it("starts what tells people beside a task that takes too long, one after another, and nothing else", async () => {
  const line = createChildLine(recordingChild({ heal: 3_000, note: 200, tend: 1 }), 300);
  const ends = await Promise.all([HEAL, NOTE, TEND, HEAL].map((task) => line.run(task)));
  const [first, note, tend, second] = ends.map((end) => end?.answer as { began: number; ended: number });
  expect(note?.ended).toBeLessThan(first?.ended ?? 0);
  expect(tend?.ended).toBeLessThan(first?.ended ?? 0);
  expect(tend?.began).toBeGreaterThanOrEqual(note?.ended ?? Infinity);
  expect(second?.began).toBeGreaterThanOrEqual(first?.ended ?? Infinity);
});

it("has what tells people wait for a task that takes its usual time", async () => {
  const line = createChildLine(recordingChild({ heal: 300, note: 1 }), 60_000);
  const [heal, note] = (await Promise.all([HEAL, NOTE].map((task) => line.run(task)))).map(
    (end) => end?.answer as { began: number; ended: number },
  );
  expect(note?.began).toBeGreaterThanOrEqual(heal?.ended ?? Infinity);
});

/** A child that says that it began and, a while later, that it came to its end. It handles no signal. */
function slowChild(): string {
  const entry = join(root, "entry.mjs");
  writeFileSync(
    entry,
    `import { writeFileSync } from "node:fs";
     writeFileSync(${JSON.stringify(join(root, "began"))}, "");
     setTimeout(() => { writeFileSync(${JSON.stringify(join(root, "ended"))}, ""); process.exit(0); }, 500);`,
  );
  return entry;
}

async function began(): Promise<void> {
  for (let i = 0; i < 400 && !existsSync(join(root, "began")); i += 1) await new Promise((go) => setTimeout(go, 25));
}

it("lets a note that is being written come to its end when it is stopped, and no other task", async () => {
  for (const [task, finishes] of [
    [NOTE, true],
    [HEAL, false],
  ] as const) {
    const line = createChildLine(slowChild());
    const ended = line.run(task);
    await began();
    line.stop(20_000);
    const end = await ended;
    expect(end?.signal).toBe(finishes ? undefined : "SIGTERM");
    expect(existsSync(join(root, "ended"))).toBe(finishes);
    for (const name of ["began", "ended"]) rmSync(join(root, name), { force: true });
  }
});

it("starts only notes once it is stopped, and ends one that hangs", async () => {
  const line = createChildLine(slowChild());
  line.stop(50);
  expect(await line.run(HEAL)).toBeUndefined();
  expect((await line.run(NOTE))?.signal).toBe("SIGKILL");
});

it("goes on after a task that the system could not even start", async () => {
  const line = createChildLine(recordingChild({ heal: 1, note: 1 }));
  // No program takes an environment with a text this long.
  vi.stubEnv("LANG", "x".repeat(200_000));
  const failed = await line.run(HEAL);
  expect(failed?.error).toContain("E2BIG");
  vi.unstubAllEnvs();
  for (const task of [HEAL, NOTE]) expect(await line.run(task)).toMatchObject({ code: 0 });
});
