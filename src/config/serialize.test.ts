import { expect, it } from "vitest";
import { BACKUP_FILENAME } from "../archive/settings.ts";
import { BACKUP_ARCHIVE } from "../destinations/local/settings.ts";
import { LOCK_TIMEOUT } from "../run/settings.ts";
import { SSH_PASSWORD } from "../destinations/ssh/settings.ts";
import { AZURE_STORAGE_CONNECTION_STRING } from "../destinations/azure/settings.ts";
import { deserializeJob, secretsOf, serializeJob } from "./serialize.ts";
import { secretsIn } from "./secrets.ts";
import { loadFiles } from "./testing.ts";

it("a job survives the way to a child process", async () => {
  const {
    jobs: [job],
  } = await loadFiles(
    { site: "BACKUP_ARCHIVE=\nLOCK_TIMEOUT=90s\nSSH_PASSWORD='hun ter2'\nBACKUP_FILENAME='ü\n%Y'\nOTHER=x\n" },
    { HOME: "/h" },
  );
  if (job === undefined) throw new Error("no job");
  const back = deserializeJob(JSON.parse(JSON.stringify(serializeJob(job))));
  expect(back).toMatchObject({ name: "site", origin: job.origin, environment: { HOME: "/h", OTHER: "x" } });
  expect(back.values.get(BACKUP_ARCHIVE)).toBe("");
  expect(back.values.get(LOCK_TIMEOUT)).toBe(90_000);
  expect(back.values.get(BACKUP_FILENAME)).toBe("ü\n%Y");
  expect(back.values.isSet(LOCK_TIMEOUT)).toBe(true);
  expect(back.values.isSet(BACKUP_ARCHIVE)).toBe(false);
  expect([...secretsOf(back)]).toEqual(["hun ter2"]);
});

it("the parts of a secret are secrets too", () => {
  expect(secretsIn(AZURE_STORAGE_CONNECTION_STRING, "AccountName=a;AccountKey=abc==;X=y")).toContain("abc==");
  expect(
    secretsIn(SSH_PASSWORD, JSON.stringify({ private_key: "line1\nline2", half: "\ud800", token: "\ud800" })),
  ).toEqual([expect.stringContaining("private_key"), "line1\nline2"]);
  expect(secretsIn(BACKUP_ARCHIVE, "https://user:p%40ss@h")).toEqual(["user:p%40ss", "p%40ss", "p@ss"]);
});
