import { createLogTail } from "../lib/log-tail.ts";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import type { Log } from "../contracts/log.ts";
import { systemClock } from "../lib/clock.ts";
import { createRedactor } from "../lib/redact.ts";
import { runJob } from "./run.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lifeboat-"));
  for (const folder of ["backup", "archive"]) mkdirSync(join(root, folder));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Runs the environment's job and looks at the world at the moment of its last log line. */
async function runAndLook(look: () => void): Promise<string> {
  const environment = { BACKUP_SOURCES: join(root, "backup"), BACKUP_ARCHIVE: join(root, "archive") };
  const { jobs } = await loadConfig({ environment, ignoreFolder: true });
  const [job] = jobs;
  if (job === undefined) throw new Error("the test's own configuration is wrong");
  const onLine = (text: string): void => {
    if (/^run (succeeded|failed)/.test(text)) look();
  };
  const log: Log = { debug: onLine, info: onLine, warn: onLine, error: onLine, with: () => log };
  const { report } = await runJob({
    job,
    trigger: "manual",
    firedAtMs: systemClock.now(),
    options: {
      stateDir: join(root, "state"),
      lockFile: join(root, "run.lock"),
      logFormat: "text",
      logLevel: "info",
      templateFolders: [],
    },
    host: "host",
    version: "0",
    clock: systemClock,
    log,
    redact: createRedactor([]),
    signal: new AbortController().signal,
    terminal: undefined,
    alreadySaid: new Set(),
    logTail: createLogTail(),
    settings: [],
  });
  return report.status;
}

it.each([
  ["success", true],
  ["failed", false],
])("holds the lock until the record says how the run ended (%s)", async (status, hasFile) => {
  if (hasFile) writeFileSync(join(root, "backup", "page"), "x");
  let seen: { locked: boolean; recorded: unknown } | undefined;
  const folder = join(root, "archive", ".lifeboat", "default");
  const given = await runAndLook(() => {
    const [record = ""] = readdirSync(folder);
    const { status: recorded } = JSON.parse(readFileSync(join(folder, record), "utf8")) as { status: string };
    seen = { locked: existsSync(join(root, "run.lock")), recorded };
  });
  expect(given).toBe(status);
  expect(seen).toEqual({ locked: true, recorded: status });
  expect(existsSync(join(root, "run.lock"))).toBe(false);
});
