import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import type { Destination } from "../contracts/destination.ts";
import { liesInMemory } from "./spool.ts";
import { planStaging } from "./staging-plan.ts";

const remote = (kind: Destination["kind"]): Destination => ({ kind, label: kind }) as Destination;

it.each([
  ["ssh", true, false],
  ["s3", true, false],
  ["webdav", true, true],
  ["webdav", false, false],
] as const)("auto, a single %s with a spool on disk (%s): in the spool %s", (kind, spoolIsOnDisk, inSpool) => {
  const plan = planStaging({ wanted: "auto", destinations: [remote(kind)], keepsFailed: false, spoolIsOnDisk });
  expect(plan).toEqual({ local: undefined, inSpool, inMemory: true });
});

it("memory stays memory", () => {
  const question = { destinations: [remote("webdav")], keepsFailed: false, spoolIsOnDisk: true };
  expect(planStaging({ ...question, wanted: "memory" })).toMatchObject({ inSpool: false, inMemory: true });
});

it.runIf(existsSync("/dev/shm"))("a folder in memory is known, also before it is made", () => {
  expect(liesInMemory("/dev/shm/lifeboat-none/spool")).toBe(true);
  expect(liesInMemory("/proc")).toBe(false);
});
