import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Log } from "../contracts/log.ts";
import { createLog } from "./log.ts";
import { createRedactor } from "./redact.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lifeboat-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function written(format: "text" | "json", level: "debug" | "info", write: (log: Log) => void): string {
  const path = join(folder, "log");
  const fd = openSync(path, "w");
  write(createLog({ format, level, fd, redact: createRedactor(["s3cr3t"]) }));
  closeSync(fd);
  return readFileSync(path, "utf8");
}

it("writes one readable line per event", () => {
  const text = written("text", "info", (log) =>
    log.with({ job: "site" }).info("archive complete", { size: "1.2 GB", files: 3 }),
  );
  expect(text).toMatch(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d) info {2}\[site\] archive complete {2}size="1\.2 GB" files=3\n$/,
  );
});

it("keeps a name with line breaks or escape sequences on its line", () => {
  const text = written("text", "info", (log) => log.warn("/backup/a\n2026-01-01 info forged\u001b[2J"));
  expect(text.split("\n")).toHaveLength(2);
  expect(text).not.toContain("\u001b");
});

it("writes JSON with level, time, job and text", () => {
  const line = JSON.parse(written("json", "info", (log) => log.with({ job: "site" }).error("boom", { attempts: 2 })));
  expect(line).toMatchObject({ level: "error", job: "site", msg: "boom", attempts: 2 });
  expect(Date.parse(line.time)).toBeGreaterThan(0);
});

it.each(["text", "json"] as const)("redacts texts and fields (%s)", (format) => {
  const text = written(format, "info", (log) => log.info("token s3cr3t", { url: "https://me:s3cr3t@host/x" }));
  expect(text).not.toContain("s3cr3t");
  expect(text).toContain("***");
});

it("leaves out what is below the level", () => {
  expect(written("text", "info", (log) => log.debug("quiet"))).toBe("");
  expect(written("text", "debug", (log) => log.debug("loud"))).toContain("loud");
});
