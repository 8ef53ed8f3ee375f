import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { failureOf, listAll, OWNER } from "../../test/conformance/harness.ts";
import type { Destination } from "../contracts/destination.ts";
import type { RunReport } from "../contracts/run.ts";
import { bufferSource } from "../destinations/buffer-source.ts";
import { createLocalDestination } from "../destinations/local/local.ts";
import { DestinationError } from "../lib/errors.ts";
import { pruneDestination } from "./prune.ts";
import { parseRecordName, recordFolderOf, recordNameOf, runIdTime } from "./record-names.ts";
import { LARGEST_RECORD_BYTES, pruneRecords, readRecords, writeRecord } from "./records.ts";
import { toRecord, withoutPaths } from "./to-record.ts";

let folder: string;
let local: Destination;
const signal = AbortSignal.timeout(60_000);

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
  local = createLocalDestination({ folder });
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

function report(id: string, more: Partial<RunReport> = {}): RunReport {
  return {
    version: 1,
    id,
    job: "site",
    host: "h",
    lifeboat: "0.1.0",
    trigger: "schedule",
    status: "success",
    firedAt: "2026-11-22T21:30:00.000Z",
    startedAt: "2026-11-22T21:30:00.000Z",
    steps: [],
    deliveries: [],
    prunes: [],
    warnings: [],
    ...more,
  };
}

const id = (day: number): string => `202611${String(day).padStart(2, "0")}T213000Z-a1b2c3`;

describe("records", () => {
  it("come back newest first, of one job or all, bounded", async () => {
    for (const day of [3, 1, 2]) await writeRecord(local, report(id(day)), signal);
    await writeRecord(local, report(id(4), { job: "Datenbank ü .. x" }), signal);
    expect((await readRecords(local, "site", { signal })).map((run) => run.id)).toEqual([id(3), id(2), id(1)]);
    expect((await readRecords(local, undefined, { signal })).map((run) => run.id)).toEqual([
      id(4),
      id(3),
      id(2),
      id(1),
    ]);
    expect((await readRecords(local, undefined, { signal, limit: 2 })).map((run) => run.id)).toEqual([id(4), id(3)]);
    expect(await readRecords(local, "sit", { signal })).toEqual([]);
    expect(fs.existsSync(path.join(folder, ".lifeboat/site", `${id(1)}.json`))).toBe(true);
  });

  it("are replaced by a later state of the same run", async () => {
    await writeRecord(local, report(id(1), { status: "running", pid: 7 }), signal);
    expect(await readRecords(local, "site", { signal })).toMatchObject([{ status: "running", pid: 7 }]);
    await writeRecord(local, report(id(1), { pid: 7 }), signal);
    expect(await readRecords(local, "site", { signal })).toEqual([report(id(1))]);
  });

  it("tolerate what others put in their place", async () => {
    await writeRecord(local, report(id(1)), signal);
    const record = { area: "record", owner: OWNER, signal } as const;
    const hostile: Record<string, string> = {
      [`site/${id(2)}.json`]: "not json",
      [`site/${id(3)}.json`]: "null",
      [`site/${id(4)}.json`]: JSON.stringify(report(id(5))),
      [`site/${id(6)}.json`]: JSON.stringify(report(id(6), { job: "other" })),
      [`site/${id(7)}.json`]: `"${"x".repeat(LARGEST_RECORD_BYTES)}"`,
      [`site/${id(8)}.json`]: "[".repeat(200_000),
      [`site/deep/${id(9)}.json`]: JSON.stringify(report(id(9))),
      "a.tar.index": "index",
      "site/notes.txt": "hello",
    };
    for (const [name, text] of Object.entries(hostile)) await local.put(name, bufferSource(Buffer.from(text)), record);
    fs.mkdirSync(path.join(folder, ".lifeboat/site", `${id(10)}.json`));
    fs.symlinkSync(`${id(1)}.json`, path.join(folder, ".lifeboat/site", `${id(11)}.json`));
    expect((await readRecords(local, undefined, { signal })).map((run) => run.id)).toEqual([id(1)]);
  });

  it("that can't be read are an error, unless the caller can do without", async () => {
    await writeRecord(local, report(id(1)), signal);
    await writeRecord(local, report(id(2)), signal);
    const half: Destination = {
      ...local,
      get: (area, name, range, stop) =>
        name.includes(id(2))
          ? Promise.reject(new DestinationError("unavailable", "input/output error"))
          : local.get(area, name, range, stop),
    };
    expect(await failureOf(readRecords(half, "site", { signal }))).toHaveProperty("code", "unavailable");
    expect((await readRecords(half, "site", { signal, tolerant: true })).map((run) => run.id)).toEqual([id(1)]);
  });

  it("are pruned by age, the newest never, another job's never", async () => {
    for (const day of [1, 10, 20]) await writeRecord(local, report(id(day)), signal);
    await writeRecord(local, report(id(1), { job: "other" }), signal);
    const now = Date.UTC(2026, 10, 25);
    expect(await pruneRecords(local, "site", 10, signal, now)).toBe(2);
    expect((await readRecords(local, undefined, { signal })).map((run) => [run.job, run.id])).toEqual([
      ["site", id(20)],
      ["other", id(1)],
    ]);
    expect(await pruneRecords(local, "other", 10, signal, now)).toBe(0);
  });

  it("hold no paths, no process id of the past, and fit their bound", () => {
    const big = report(id(1), {
      pid: 5,
      error: "cannot read /backup/html/secret.txt: denied",
      prunes: [
        {
          destination: "local:/archive",
          kept: 1,
          removed: Array.from({ length: 20_000 }, (_, at) => `archive-${at}.tar.gz`),
        },
      ],
      warnings: [{ level: "warning", text: `12 files of /backup/html are missing ${"x".repeat(5000)}` }],
    });
    const record = toRecord(big, LARGEST_RECORD_BYTES);
    expect(JSON.stringify(record).length).toBeLessThan(LARGEST_RECORD_BYTES);
    expect(record.pid).toBeUndefined();
    expect(JSON.stringify(record)).not.toContain("secret.txt");
    expect(record.prunes[0]?.destination).toBe("local:/archive");
    expect(withoutPaths("see https://host/a/b and (/backup/x/y): /backup is empty")).toBe(
      "see https://host/a/b and (/backup/…): /backup is empty",
    );
  });
});

describe("names of records", () => {
  it("are one safe path element for every job, and different for different jobs", () => {
    const jobs = [
      "site",
      "a..b",
      ".hidden",
      "..",
      ".",
      "",
      "a/b",
      "a\0b",
      "a%2Fb",
      "x.index",
      "x.partial",
      "end.",
      "ü",
      "x".repeat(300),
      `${"x".repeat(299)}y`,
      "A B",
    ];
    const folders = jobs.map(recordFolderOf);
    expect(new Set(folders).size).toBe(jobs.length);
    for (const name of folders) {
      expect(name).toMatch(/^[A-Za-z0-9%_-][A-Za-z0-9%._-]{0,119}$/);
      expect(name).not.toMatch(/\.\.|\.index$|\.partial$|\.$/);
    }
    expect(recordFolderOf("site.prod-1_x")).toBe("site.prod-1_x");
    expect(parseRecordName(recordNameOf("a/b", id(1)))).toEqual({ folder: "a%2Fb", runId: id(1) });
    for (const bad of ["../x", "a/b", "", "a..b"]) expect(() => recordNameOf("site", bad)).toThrow("run id");
    expect(runIdTime(id(22))).toBe(Date.UTC(2026, 10, 22, 21, 30));
    expect(runIdTime("other")).toBeUndefined();
  });
});

describe("pruning a destination", () => {
  const archive = { area: "archive", owner: OWNER, signal } as const;
  const record = { area: "record", owner: OWNER, signal } as const;

  it("removes what was decided, with its index, and only what was listed", async () => {
    for (const name of ["a.tar", "b.tar", "foreign"]) {
      await local.put(name, bufferSource(Buffer.from(name)), archive);
      await local.put(`${name}.index`, bufferSource(Buffer.from(name)), record);
    }
    const outcome = await pruneDestination(
      local,
      (archives) => [
        ...archives.filter((entry) => entry.name !== "foreign").map(({ name }) => ({ name, keep: name === "b.tar" })),
        { name: "ghost.tar", keep: false },
      ],
      signal,
    );
    expect(outcome).toEqual({ destination: local.label, kept: 1, removed: ["a.tar"] });
    expect((await listAll(local, "archive")).map((entry) => entry.name)).toEqual(["b.tar", "foreign"]);
    expect((await listAll(local, "record")).map((entry) => entry.name)).toEqual(["b.tar.index", "foreign.index"]);
  });

  it("killed in between leaves no index that belongs to nothing", async () => {
    await local.put("a.tar", bufferSource(Buffer.from("a")), archive);
    await local.put("a.tar.index", bufferSource(Buffer.from("a")), record);
    const left: string[] = [];
    const watched: Destination = {
      ...local,
      async remove(area, name, stop) {
        await local.remove(area, name, stop);
        for (const each of ["archive", "record"] as const)
          for (const entry of await listAll(local, each)) left.push(entry.name);
      },
    };
    await pruneDestination(watched, (archives) => archives.map(({ name }) => ({ name, keep: false })), signal);
    expect(left).toEqual(["a.tar"]);
  });

  it("removes an archive whose index can't be removed, and says so", async () => {
    await local.put("a.tar", bufferSource(Buffer.from("a")), archive);
    const stubborn: Destination = {
      ...local,
      remove: (area, name, stop) =>
        area === "record" ? Promise.reject(new Error("no")) : local.remove(area, name, stop),
    };
    const outcome = await pruneDestination(
      stubborn,
      (archives) => archives.map(({ name }) => ({ name, keep: false })),
      signal,
    );
    expect(outcome).toEqual({ destination: local.label, kept: 0, removed: ["a.tar"], error: "no" });
  });

  it("collects errors and goes on", async () => {
    for (const name of ["a.tar", "b.tar", "c.tar"]) await local.put(name, bufferSource(Buffer.from(name)), archive);
    const stubborn: Destination = {
      ...local,
      remove: (area, name, stop) =>
        name === "b.tar"
          ? Promise.reject(new DestinationError("denied", "cannot remove b.tar", { hint: "allow it" }))
          : local.remove(area, name, stop),
    };
    const outcome = await pruneDestination(
      stubborn,
      (archives) => archives.map(({ name }) => ({ name, keep: false })),
      signal,
    );
    expect(outcome).toEqual({
      destination: local.label,
      kept: 1,
      removed: ["a.tar", "c.tar"],
      error:
        "cannot remove b.tar (allow it; for credentials that should only write, add local to BACKUP_SKIP_BACKENDS_FROM_PRUNE)",
    });
  });

  it("stops where it is aborted", async () => {
    for (const name of ["a.tar", "b.tar"]) await local.put(name, bufferSource(Buffer.from(name)), archive);
    const controller = new AbortController();
    const outcome = await pruneDestination(
      local,
      (archives) => {
        controller.abort(new Error("stop"));
        return archives.map(({ name }) => ({ name, keep: false }));
      },
      controller.signal,
    );
    expect(outcome).toEqual({ destination: local.label, kept: 2, removed: [], error: "stop" });
    expect(await listAll(local, "archive")).toHaveLength(2);
  });
});
