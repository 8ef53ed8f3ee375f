import { randomBytes } from "node:crypto";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
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

it("archives of an earlier BACKUP_FILENAME are pruned, those of a sidecar of the same host and job name are not", () => {
  const others = { STATE_DIR: join(box.root, "state-of-the-other") };
  const site = (pattern: string, ...lines: string[]): void =>
    box.job("site.env", `BACKUP_FILENAME=${pattern}.{{ .Extension }}`, ...lines);
  site("before-%Y%m%d");
  expect(box.run(["run"]).status).toBe(0);
  site("alice-%Y%m%dT%H%M%S%f", "BACKUP_KEEP_LAST=1");
  expect(box.run(["run"]).status).toBe(0);
  expect(box.archives()).toEqual([expect.stringMatching(/^alice-/)]);
  site("alice-2-%Y%m%d");
  expect(box.run(["run"], others).status).toBe(0);
  site("alice-%Y%m%dT%H%M%S%f", "BACKUP_KEEP_LAST=1");
  expect(box.run(["run"]).status).toBe(0);
  expect(box.run(["prune"]).status).toBe(0);
  expect(box.archives()).toEqual([expect.stringMatching(/^alice-2-/), expect.stringMatching(/^alice-20/)]);
});

/** Gives the records that are there to another host. */
function moveRecords(host: string): void {
  const records = join(box.archive, ".lifeboat", "site");
  for (const name of readdirSync(records)) {
    const record = JSON.parse(readFileSync(join(records, name), "utf8")) as object;
    writeFileSync(join(records, name), JSON.stringify({ ...record, host }));
  }
}

it("what another sidecar stored in the folder is neither this job's last run nor its latest archive", () => {
  box.job("site.env", "BACKUP_FILENAME=alice-%Y.{{ .Extension }}");
  const others = { STATE_DIR: join(box.root, "state-of-the-other") };
  expect(box.run(["run"]).status).toBe(0);
  moveRecords("a-host-before-the-container-was-made-anew");
  writeFileSync(join(box.source, "index.html"), "bob's");
  box.job("site.env", "BACKUP_FILENAME=bob-%Y.{{ .Extension }}");
  expect(box.run(["run"], others).status).toBe(0);
  const records = join(box.archive, ".lifeboat", "site");
  const newest = readdirSync(records).toSorted().at(-1) ?? "";
  const record = JSON.parse(readFileSync(join(records, newest), "utf8")) as object;
  writeFileSync(join(records, newest), JSON.stringify({ ...record, host: "bobs-host" }));

  const fresh = { STATE_DIR: join(box.root, "fresh") };
  box.job("site.env", "BACKUP_FILENAME=alice-%Y.{{ .Extension }}", "BACKUP_CRON_EXPRESSION=0 0 1 1 *");
  const runs = box.json(["history"], fresh) as { archive: { name: string } }[];
  expect(runs.map(({ archive }) => archive.name)).toEqual([expect.stringMatching(/^alice-/)]);
  const archives = box.json(["list"], fresh) as { name: string; job: string }[];
  expect(archives.map(({ name, job }) => `${name.split("-")[0]} ${job}`)).toEqual([
    "bob site of bobs-host",
    "alice site",
  ]);
  const target = join(box.root, "restored");
  expect(box.run(["restore", "latest", "--to", target], fresh).status).toBe(0);
  expect(readFileSync(join(target, box.source, "index.html"), "utf8")).toContain("hello");
});

it("archives of a job that was renamed are listed and restored under its new name", () => {
  box.job("shop.env");
  expect(box.run(["run"]).status).toBe(0);
  rmSync(join(box.config, "shop.env"));
  box.job("website.env", "BACKUP_KEEP_LAST=1");
  expect(box.json(["list"])).toMatchObject([{ job: "shop", status: "success" }]);
  expect(box.run(["restore", "latest", "--to", join(box.root, "restored")]).status).toBe(0);
  expect(box.json(["prune", "--dry-run"])).toMatchObject([{ keep: true, reason: "belongs to job shop" }]);
});
