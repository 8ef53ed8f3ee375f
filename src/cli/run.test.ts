import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Interruption } from "../lib/interruption.ts";
import { readArguments } from "./arguments.ts";
import { runCommand } from "./run.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lifeboat-"));
  mkdirSync(join(root, "config"));
  mkdirSync(join(root, "archive"));
  writeFileSync(join(root, "config/site.env"), `BACKUP_SOURCES=${root}/config\nBACKUP_ARCHIVE=${root}/archive\n`);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

it("does not report success for jobs whose run was stopped before it began", async () => {
  const code = await runCommand.run(readArguments(["--json"], runCommand.options, runCommand.positionals), {
    environment: { CONFIG_DIR: join(root, "config"), STATE_DIR: join(root, "state"), LOCK_FILE: join(root, "lock") },
    output: { print: () => undefined, remark: () => undefined },
    version: "0.0.0",
    signal: AbortSignal.abort(new Interruption("signal", "stopped by SIGTERM")),
    onHangUp: () => undefined,
  });
  expect(code).toBe(1);
  expect(existsSync(join(root, "state"))).toBe(false);
});
