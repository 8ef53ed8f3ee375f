import { readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { RunBox } from "../../test/delivery/run-box.ts";
import { partialName } from "../destinations/partial-name.ts";
import { healBeforeRun } from "./heal.ts";

let box: RunBox;
beforeEach(() => {
  box = new RunBox();
});
afterEach(() => box.dispose());

it("a run removes what a killed one left in the spool before it needs the room", async () => {
  const spool = box.folder("spool");
  const context = await box.context({ SPOOL_DIR: spool }, new AbortController().signal);
  const living = partialName("site.tar.gz", { host: context.host, job: context.job.name });
  const dead = basename(living).replace(`-${process.pid}-`, "-4194999-");
  for (const name of [living, dead, "20261126T000000Z-000000.kept"]) writeFileSync(join(spool, name), "half");
  const history = await box.history(context);
  await healBeforeRun(context, context.job, history, []);
  history.close();
  expect(readdirSync(spool).toSorted()).toEqual([living, "20261126T000000Z-000000.kept"].toSorted());
  expect(box.lines).toContain("info removed 1 leftover of runs that did not end");
});
