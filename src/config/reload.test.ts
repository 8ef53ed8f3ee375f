import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { BACKUP_RETENTION_DAYS } from "../retention/settings.ts";
import { loadConfig, type LoadedConfig } from "./load.ts";
import { firstRunning, mergeReload, type RunningConfig } from "./reload.ts";
import { configFolder } from "./testing.ts";

function load(folder: string): Promise<LoadedConfig> {
  return loadConfig({ environment: {}, configDir: folder });
}

function summary({ jobs, kept, messages }: RunningConfig): object {
  return {
    jobs: jobs.map((job) => `${job.name}=${job.values.get(BACKUP_RETENTION_DAYS)}`),
    kept,
    messages: messages.map(({ level, job, text }) => `${level} ${job ?? "-"} ${text}`),
  };
}

it("keeps the last good version of what breaks, says so once per content, and lets go of what is removed", async () => {
  const folder = configFolder({
    a: "BACKUP_RETENTION_DAYS=1\nBACKUP_FILENAME=a\n",
    b: "BACKUP_RETENTION_DAYS=2\nSSH_PASSWORD=hunter2\nBACKUP_FILENAME=b\n",
  });
  const write = (name: string, content: string): void => writeFileSync(path.join(folder, name), content);
  let running = firstRunning(await load(folder));
  expect(summary(running)).toEqual({ jobs: ["a=1", "b=2"], kept: [], messages: [] });
  const firstA = running.jobs[0];

  const step = async (): Promise<object> => {
    running = mergeReload(running, await load(folder));
    return summary(running);
  };
  expect(await step()).toEqual({ jobs: ["a=1", "b=2"], kept: [], messages: [] });
  expect(running.jobsChanged).toBe(false);

  write("b", "BACKUP_RETENTION_DAYS=x\n");
  write("c", "BACKUP_RETENTION_DAYS=y\n");
  expect(await step()).toEqual({
    jobs: ["a=1", "b=2"],
    kept: ["b"],
    messages: [
      "error b its configuration is broken; the last good version stays in use",
      "error c its configuration is broken; the job does not run",
    ],
  });
  expect(running.messages[0]?.problems).toEqual([
    expect.stringContaining("BACKUP_RETENTION_DAYS: must be a whole number"),
  ]);
  expect(running.secrets.has("hunter2")).toBe(true);
  expect(running.jobsChanged).toBe(false);
  expect(await step()).toEqual({ jobs: ["a=1", "b=2"], kept: ["b"], messages: [] });

  write("b", "BACKUP_RETENTION_DAYS=z\n");
  expect(await step()).toMatchObject({
    messages: ["error b its configuration is broken; the last good version stays in use"],
  });

  write("b", "BACKUP_RETENTION_DAYS=2\nSSH_PASSWORD=hunter2\nBACKUP_FILENAME=b\n");
  expect(await step()).toEqual({
    jobs: ["a=1", "b=2"],
    kept: [],
    messages: ["info b its configuration is good again"],
  });

  write("b", "BACKUP_RETENTION_DAYS=3\nBACKUP_FILENAME=b\n");
  rmSync(path.join(folder, "c"));
  write("d", "BACKUP_RETENTION_DAYS=4\nBACKUP_FILENAME=d\n");
  expect(await step()).toEqual({
    jobs: ["a=1", "b=3", "d=4"],
    kept: [],
    messages: ["info b its configuration has changed", "info d new job"],
  });
  expect(running.jobs[0]).toBe(firstA);
  expect(running.secrets.has("hunter2")).toBe(false);

  rmSync(path.join(folder, "b"));
  expect(await step()).toEqual({ jobs: ["a=1", "d=4"], kept: [], messages: ["info b the job was removed"] });

  renameSync(folder, `${folder}-away`);
  const gone = await step();
  expect(gone).toMatchObject({ jobs: ["a=1", "d=4"], kept: ["a", "d"] });
  expect(running.messages.map(({ text }) => text)).toEqual([
    expect.stringContaining("it does not exist; the jobs stay as they were"),
  ]);
  expect((await step()) satisfies object).toMatchObject({ messages: [] });

  renameSync(`${folder}-away`, folder);
  expect(await step()).toEqual({
    jobs: ["a=1", "d=4"],
    kept: [],
    messages: ["info - the config folder can be read again"],
  });

  rmSync(folder, { recursive: true });
  await step();
  mkdirSync(folder);
  expect(await step()).toMatchObject({
    jobs: [],
    messages: [expect.stringContaining("holds no job"), "info a the job was removed", "info d the job was removed"],
  });
});
