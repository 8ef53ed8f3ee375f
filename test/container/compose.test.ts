import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { environment, must, waitFor } from "./docker.ts";

const ROOT = path.join(import.meta.dirname, "../..");
const PROJECT = "lifeboat-compose-test";

/** The plugin where it is there, else the program of its own. */
function composeCommand(): string[] {
  for (const command of [["docker", "compose"], ["docker-compose"]]) {
    const [program = "", ...args] = command;
    if (spawnSync(program, [...args, "version"], { stdio: "ignore" }).status === 0) return command;
  }
  throw new Error("neither `docker compose` nor `docker-compose` is installed");
}

let folder: string;
let archives: string;
let config: string;

async function compose(...args: string[]): Promise<string> {
  const [program = "", ...before] = composeCommand();
  const files = [
    "--file",
    path.join(ROOT, "compose.yaml"),
    "--file",
    path.join(ROOT, "test/container/compose.override.yaml"),
  ];
  const env = { LIFEBOAT_TEST_CONFIG: config, LIFEBOAT_TEST_ARCHIVES: archives };
  const assignments = Object.entries({ ...env, DOCKER_HOST: environment()["DOCKER_HOST"] ?? "" }).filter(
    ([, value]) => value !== "",
  );
  return must(
    "env",
    ...assignments.map(([key, value]) => `${key}=${value}`),
    program,
    ...before,
    "--project-name",
    PROJECT,
    ...files,
    ...args,
  );
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), "lifeboat-compose-"));
  archives = path.join(folder, "archives");
  config = path.join(folder, "config");
  mkdirSync(archives);
  cpSync(path.join(ROOT, "examples/config"), config, { recursive: true });
  await compose("up", "--detach", "--no-build");
});

afterAll(async () => {
  await compose("down", "--volumes", "--timeout", "20");
  rmSync(folder, { recursive: true, force: true });
});

test("compose starts a site, a database and the sidecar; its example config becomes archives", async () => {
  const logs = (): Promise<string> => compose("logs", "backup");
  await waitFor("the daemon", async () => (await logs()).includes("lifeboat"), { explain: logs });
  expect(await logs()).toContain("[site]");

  // The example is for three at night; the same job, every other second.
  const file = path.join(config, "site.env");
  writeFileSync(
    file,
    readFileSync(file, "utf8").replace(/^BACKUP_CRON_EXPRESSION=.*/m, 'BACKUP_CRON_EXPRESSION="*/2 * * * * *"'),
  );
  const ready = (): string | undefined => readdirSync(archives).find((name) => /^site-.*\.tar\.gz$/.test(name));
  const archive = await waitFor("an archive", ready, { explain: logs });
  const names = await must("tar", "-tzf", path.join(archives, archive));
  expect(names.split("\n")).toEqual(expect.arrayContaining(["backup/html/index.html", "backup/database/all.sql"]));
  console.log((await logs()).split("\n").slice(0, 20).join("\n"));
  expect(await compose("exec", "-T", "backup", "backup", "print-config")).toContain("BACKUP_KEEP_DAILY");
});
