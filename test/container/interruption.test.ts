import { readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { docker, must } from "./docker.ts";
import { createSidecar, type Sidecar } from "./sidecar.ts";

let side: Sidecar;

beforeEach(async () => {
  side = createSidecar();
  // Minutes of work, no disk: a hole of 40 GB.
  await must("truncate", "--size", "40G", path.join(side.source, "big.bin"));
  writeFileSync(path.join(side.source, "small.txt"), "small");
  side.job("site.env", {
    BACKUP_CRON_EXPRESSION: "*/2 * * * * *",
    BACKUP_FILENAME: "site-%Y-%m-%dT%H-%M-%S.{{ .Extension }}",
  });
  await side.start();
  await side.waitFor("a run that writes", () =>
    side.files().some((name) => statSync(path.join(side.archive, name)).size > 1_000_000),
  );
});

afterEach(() => side.remove());

test("docker stop in the middle of a run leaves no partial archive and an interrupted record", async () => {
  expect(side.archives()).toEqual([]);
  const startedAt = Date.now();
  await docker("stop", "--time", "60", side.name);
  const tookMs = Date.now() - startedAt;
  console.log(`docker stop took ${(tookMs / 1000).toFixed(1)} s`);
  expect(tookMs).toBeLessThan(15_000);
  expect((await docker("inspect", "--format", "{{.State.ExitCode}}", side.name)).trim()).not.toBe("137");
  expect(side.files()).toEqual([]);
  // Later fires of the job are `skipped`.
  const interrupted = (await side.history()).filter((report) => report.status === "interrupted");
  expect(interrupted).toHaveLength(1);
  expect(interrupted[0]?.error).toMatch(/SIGTERM|stopp/i);
  expect(await side.logs()).toContain("interrupted");
});

test("docker kill -s KILL in the middle heals at the next start", async () => {
  const before = side.files();
  await docker("kill", "--signal", "KILL", side.name);
  expect(before.length).toBeGreaterThan(0);
  // What the run left is there, under a hidden name.
  expect(side.archives()).toEqual([]);
  rmSync(path.join(side.source, "big.bin"));
  await docker("start", side.name);
  await side.waitFor("an archive of the next run", () => side.archives()[0]);
  const left = readdirSync(side.archive).filter((name) => before.includes(name));
  expect(left).toEqual([]);
  const runs = await side.history();
  expect(runs.filter((run) => run.status === "interrupted")).toHaveLength(1);
  expect(runs.some((run) => run.status === "success")).toBe(true);
  expect(runs.filter((run) => run.status === "running").length).toBeLessThanOrEqual(1);
});
