import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Sandbox, until } from "./sandbox.ts";

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
});
afterEach(() => box.dispose());

interface Run {
  readonly id: string;
  readonly status: string;
}

/** The process that makes the archive: the daemon's child. */
function runProcessOf(daemonPid: number): number {
  for (const task of readdirSync(`/proc/${daemonPid}/task`)) {
    const [child] = readFileSync(`/proc/${daemonPid}/task/${task}/children`, "utf8").split(" ");
    if (child !== undefined && child !== "") return Number(child);
  }
  throw new Error("the daemon has no child");
}

it("a fault in native code ends the run's process, is recorded and told, and the daemon goes on", async () => {
  for (let file = 0; file < 60; file += 1)
    writeFileSync(join(box.source, `noise-${file}`), randomBytes(8 * 1024 * 1024));
  box.job("site.env", "BACKUP_CRON_EXPRESSION=* * * * * *");
  const daemon = box.start(["daemon"]);
  await until("a run that writes", () => box.hidden().some((name) => name.endsWith(".partial")));
  // As the kernel ends a process that reads where it must not.
  process.kill(runProcessOf(daemon.child.pid ?? 0), "SIGSEGV");
  await until("the record", () => (box.json(["history"]) as Run[]).some(({ status }) => status === "interrupted"));
  expect(daemon.output()).toMatch(/the run was killed: .*SIGSEGV/);
  const [dead] = (box.json(["history"]) as Run[]).filter(({ status }) => status === "interrupted");
  await until("a later run that succeeds", () => box.archives().length > 0, 60_000);
  expect(daemon.child.exitCode).toBeNull();
  daemon.child.kill("SIGTERM");
  expect(await daemon.ended).toBe(0);
  expect(box.hidden()).toEqual([]);
  expect((box.json(["history"]) as Run[]).find(({ id }) => id === dead?.id)?.status).toBe("interrupted");
}, 120_000);

it("a run that is stopped while its threads load native libraries ends as any other", async () => {
  box.job("site.env", "BACKUP_FILENAME=site-%s.tar.gz");
  // The libraries are loaded in the first half second, in threads of their own.
  for (let waitMs = 150; waitMs <= 600; waitMs += 30) {
    const run = box.start(["run"]);
    await new Promise((resume) => setTimeout(resume, waitMs));
    run.child.kill("SIGTERM");
    // 134 would be the abort of a whole process whose thread was ended too early; null a signal before it listens.
    expect([0, 1, null]).toContain(await run.ended);
    expect(run.output()).not.toMatch(/Abort|FATAL|assert/i);
  }
  expect(box.hidden()).toEqual([]);
}, 60_000);
