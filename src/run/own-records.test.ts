import { afterEach, beforeEach, expect, it } from "vitest";
import { RunBox } from "../../test/delivery/run-box.ts";
import type { Job } from "../contracts/job.ts";
import type { RunReport } from "../contracts/run.ts";
import { bufferSource } from "../destinations/buffer-source.ts";
import { ownRecords, readOwnRecords } from "./own-records.ts";

const signal = AbortSignal.timeout(60_000);
let box: RunBox;
let job: Job;
let empty: RunReport;
beforeEach(async () => {
  box = new RunBox();
  const context = await box.context({ BACKUP_FILENAME: "alice-%Y%m%d.{{ .Extension }}" }, signal);
  ({ job } = context);
  empty = box.recorder(context).report("end");
});
afterEach(() => box.dispose());

function record(host: string, archive?: string, status: RunReport["status"] = "success"): RunReport {
  const { archive: _, ...rest } = empty;
  const counts = { files: 1, directories: 1, symlinks: 0, hardlinks: 0, others: 0 };
  const made = {
    sizeBytes: 1,
    sha256: "0".repeat(64),
    compression: "gz",
    compressor: "",
    counts,
    bytesRead: 1,
    incomplete: 0,
  };
  return {
    ...rest,
    host,
    status,
    ...(archive === undefined ? {} : { archive: { ...made, name: archive } }),
  } as RunReport;
}

it("of records of one job name, those of this host and of this job's names are its own", () => {
  const own = [
    record("here", "alice-20261122.tar.gz"),
    record("here", "an-earlier-pattern.tar.gz"),
    record("here", undefined, "failed"),
    record("before", "alice-20261121.tar.gz"),
    record("before", undefined, "running"),
    record("unknown", undefined, "running"),
  ];
  const others = [record("bobs", "bob-20261122.tar.gz"), record("bobs", undefined, "running")];
  expect(ownRecords([...others, ...own], job, "here")).toEqual(own);
});

it("are found among many of others", async () => {
  const store = box.remote("store");
  const owner = { host: "here", job: job.name, runId: "x" };
  const put = async (number: number, report: RunReport): Promise<void> => {
    const id = `20261122T2130${String(number).padStart(2, "0")}Z-a1b2c3`;
    const body = bufferSource(Buffer.from(JSON.stringify({ ...report, id })));
    await store.put(`${job.name}/${id}.json`, body, { area: "record", owner, signal });
  };
  for (let number = 0; number < 3; number += 1) await put(number, record("here", `alice-2026112${number}.tar.gz`));
  for (let number = 3; number < 60; number += 1) await put(number, record("bobs", "bob-20261122.tar.gz"));
  const found = await readOwnRecords(store, job, "here", { signal, limit: 2 });
  expect(found.map(({ archive }) => archive?.name)).toEqual(["alice-20261122.tar.gz", "alice-20261121.tar.gz"]);
});
