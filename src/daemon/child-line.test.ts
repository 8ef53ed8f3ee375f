import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { ChildTask } from "../contracts/task.ts";
import { createChildLine } from "./child-line.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lifeboat-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const options = { stateDir: "/", lockFile: "/", logFormat: "text", logLevel: "info", templateFolders: [] } as const;
const NOTE: ChildTask = { kind: "note", options, reports: [], missed: [], jobs: [] };
const HEAL: ChildTask = { kind: "heal", options, jobs: [] };

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
