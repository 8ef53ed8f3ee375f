import { randomBytes } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Sandbox, until } from "./sandbox.ts";

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
});
afterEach(() => box.dispose());

it("a job of the same name in another sidecar keeps its archives", () => {
  box.job("site.env", "BACKUP_FILENAME=bob-%Y.{{ .Extension }}");
  expect(box.run(["run"], { STATE_DIR: join(box.root, "state-of-the-other") }).status).toBe(0);
  const records = join(box.archive, ".lifeboat", "site");
  for (const name of readdirSync(records)) {
    const record = JSON.parse(readFileSync(join(records, name), "utf8")) as object;
    writeFileSync(join(records, name), JSON.stringify({ ...record, host: "another-host" }));
  }
  box.job("site.env", "BACKUP_FILENAME=alice-%Y.{{ .Extension }}", "BACKUP_KEEP_LAST=1");
  expect(box.run(["run"]).status).toBe(0);
  expect(box.archives().some((name) => name.startsWith("bob-"))).toBe(true);
});

it("a run by hand clears up after one that was killed", async () => {
  const noise = randomBytes(8 * 1024 * 1024);
  for (let file = 0; file < 40; file += 1) writeFileSync(join(box.source, `noise-${file}`), noise);
  box.job("site.env");
  const killed = box.start(["run"]);
  await until("an unfinished file", () => box.hidden().some((name) => name.endsWith(".partial")));
  killed.child.kill("SIGKILL");
  await killed.ended;
  expect(box.run(["run"]).status).toBe(0);
  expect(box.hidden().filter((name) => name.endsWith(".partial"))).toEqual([]);
  const runs = box.json(["history"]) as { status: string }[];
  expect(runs.map((run) => run.status)).toEqual(["success", "interrupted"]);
});
