import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sha256 } from "../../test/conformance/sources.ts";
import { until } from "../../test/e2e/sandbox.ts";
import type { Destination } from "../contracts/destination.ts";
import type { RunReport } from "../contracts/run.ts";
import { orAborted } from "../lib/abortable.ts";
import { sleep } from "../lib/clock.ts";
import { DestinationError } from "../lib/errors.ts";
import { createRunIndex } from "./index-phase.ts";
import { storeArchive } from "./store-archive.ts";
import { RunBox } from "../../test/delivery/run-box.ts";

let box: RunBox;
beforeEach(() => {
  box = new RunBox();
});
afterEach(() => box.dispose());

const NAME = "site.tar.gz";
const never = new Promise<never>(() => undefined);

async function store(
  destinations: readonly Destination[],
  settings: Readonly<Record<string, string>> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<RunReport> {
  const context = await box.context(settings, signal);
  const recorder = box.recorder(context);
  const history = await box.history(context);
  try {
    const index = createRunIndex(context);
    await storeArchive({ context, recorder, history, destinations, signal, workers: [], interrupted: [], index });
  } catch (thrown) {
    recorder.fail(thrown instanceof Error ? thrown.message : String(thrown));
  }
  const report = recorder.report("end");
  history.update(report);
  history.close();
  return report;
}

const stored = (report: RunReport): unknown =>
  Object.fromEntries(report.deliveries.map(({ destination, status }) => [destination, status]));

const visible = (name: string): string[] => readdirSync(join(box.root, name)).filter((entry) => !entry.startsWith("."));

describe("two destinations, one of which", () => {
  it.each([
    ["is dead", "cannot connect: connection refused", "unavailable"],
    ["is full", "not enough space", "full"],
    ["denies access", "cannot store: access denied", "denied"],
  ] as const)("%s: the other has its archive, and the run says which and why", async (_what, message, code) => {
    const bad = box.remote("bad", () => Promise.reject(new DestinationError(code, message, { isFinal: true })));
    const report = await store([box.local(), bad, box.remote("good")]);
    expect(report.status).toBe("partial");
    expect(report.error).toBe(`bad: ${message}`);
    expect(stored(report)).toEqual({ home: "stored", bad: "failed", good: "stored" });
    expect(visible("bad")).toEqual([]);
    expect(sha256(readFileSync(join(box.root, "good", NAME)))).toBe(report.archive?.sha256);
    expect(box.lines).toContain(`error not stored at bad: ${message}`);
  });

  it.each([
    ["memory", ["hung", "good"]],
    ["disk", ["home", "hung", "good"]],
  ])("hangs (%s): the others do not wait for it", async (staging, names) => {
    const controller = new AbortController();
    const hung = box.remote("hung", (_body, { signal }) => orAborted(never, signal));
    const destinations = names.map((name) =>
      name === "hung" ? hung : name === "home" ? box.local() : box.remote(name),
    );
    const run = store(destinations, { BACKUP_STAGING: staging }, controller.signal);
    for (const name of names.filter((one) => one !== "hung"))
      await until(`${name} has it`, () => visible(name).includes(NAME));
    const began = performance.now();
    controller.abort(new Error("stopped by SIGTERM"));
    const report = await run;
    expect(performance.now() - began).toBeLessThan(1_500);
    expect(stored(report)).toMatchObject({ hung: "failed", good: "stored" });
    expect(visible("hung")).toEqual([]);
  });

  it("hangs while it is looked after: the others do not wait for that either", async () => {
    const controller = new AbortController();
    const hung: Destination = { ...box.remote("hung"), removeLeftovers: () => never, get: () => never };
    const run = store([hung, box.remote("good")], {}, controller.signal);
    await until("the good one has it", () => visible("good").includes(NAME));
    controller.abort(new Error("stopped by SIGTERM"));
    expect(stored(await run)).toEqual({ hung: "failed", good: "stored" });
  });
});

describe("staging", () => {
  it("in memory writes no file, whatever the size, and gives every store the same bytes", async () => {
    box.fill(60_000_000);
    const report = await store([box.remote("one"), box.remote("two")], { BACKUP_STAGING: "memory" });
    expect(report.status).toBe("success");
    expect(report.archive?.sizeBytes).toBeGreaterThan(50_000_000);
    for (const name of ["one", "two"])
      expect(sha256(readFileSync(join(box.root, name, NAME)))).toBe(report.archive?.sha256);
    expect(existsSync(join(box.root, "state", "spool"))).toBe(false);
  });

  it("is in memory for a single remote and in the spool for several, unless told otherwise", async () => {
    const spool = join(box.root, "state", "spool");
    const staging = async (names: readonly string[], settings: Record<string, string> = {}): Promise<boolean> => {
      rmSync(spool, { recursive: true, force: true });
      const report = await store(
        names.map((name) => box.remote(name)),
        settings,
      );
      expect(report.status).toBe("success");
      const usedSpool = existsSync(spool);
      if (usedSpool) expect(readdirSync(spool)).toEqual([]);
      return usedSpool;
    };
    expect(await staging(["one"])).toBe(false);
    expect(await staging(["one"], { BACKUP_STAGING: "disk" })).toBe(true);
    expect(await staging(["one"], { SPOOL_MAX_BYTES: "1GB" })).toBe(true);
    expect(await staging(["one", "two"])).toBe(true);
    expect(await staging(["one", "two"], { SPOOL_DIR: "/proc/nowhere" })).toBe(false);
    expect(box.lines.join("\n")).toContain("the archive goes through memory instead");
  });

  it("begins anew for the others when the local folder can't take the bytes", async () => {
    box.fill(3_000_000);
    const full: Destination = {
      ...box.local(),
      stage: () =>
        Promise.resolve({
          path: "/dev/full",
          publish: () => Promise.reject(new Error("it was never written")),
          discard: () => Promise.resolve(),
        }),
    };
    const report = await store([full, box.remote("good")]);
    expect(report.status).toBe("partial");
    expect(stored(report)).toEqual({ home: "failed", good: "stored" });
    expect(report.deliveries[0]?.error).toContain("not enough space in /dev");
    expect(sha256(readFileSync(join(box.root, "good", NAME)))).toBe(report.archive?.sha256);
    expect(report.steps.filter(({ phase }) => phase === "archive").map(({ outcome }) => outcome)).toEqual([
      "skipped",
      "ok",
    ]);
    const alone = await store([full]);
    expect(alone.status).toBe("failed");
    expect(alone.error).toContain("not enough space in /dev");
  });

  it("ends early where nobody takes the archive any more, with the store's own reason", async () => {
    box.fill(60_000_000);
    const denied = box.remote("denied", () => Promise.reject(new DestinationError("denied", "access denied")));
    const report = await store([denied]);
    expect(report).toMatchObject({ status: "failed", error: "denied: access denied" });
    expect(report.archive).toBeUndefined();
  });

  it("says that a delivery can't begin anew once its start has left the memory", async () => {
    box.fill(60_000_000);
    const cut = box.remote("cut", async (body, { signal }) => {
      let read = 0;
      for await (const chunk of body.read(0, signal)) {
        read += chunk.byteLength;
        if (read > 50_000_000) throw new DestinationError("unavailable", "connection reset");
      }
    });
    const report = await store([cut]);
    expect(report.deliveries).toMatchObject([
      {
        status: "failed",
        attempts: 1,
        error: expect.stringMatching(/connection reset; it can't be sent again.*BACKUP_STAGING/),
      },
    ]);
  });
});

it("sends while the archive is made, but nothing gets its name before the content was judged", async () => {
  rmSync(join(box.source, "page.html"));
  let began = false;
  const remote = box.remote("remote", async () => void (began = true));
  for (const BACKUP_STAGING of ["memory", "disk"]) {
    const report = await store([box.local(), remote], { BACKUP_STAGING });
    expect(report).toMatchObject({ status: "failed", error: expect.stringContaining("nothing to back up") });
    expect([visible("home"), visible("remote")]).toEqual([[], []]);
  }
  expect(began).toBe(true);
});

it("refuses a name that a record at a remote store gives to another job", async () => {
  const remote = box.remote("remote");
  await store([box.local(), remote]);
  const context = await box.context({}, new AbortController().signal);
  const other = { ...box.recorder(context).report("end"), job: "other", archive: (await store([remote])).archive };
  const { writeRecord } = await import("../delivery/records.ts");
  await writeRecord(remote, other as RunReport, AbortSignal.timeout(5_000));
  const before = statSync(join(box.root, "remote", NAME)).mtimeMs;
  await sleep(20);
  const report = await store([box.local(), remote]);
  expect(report.status).toBe("partial");
  expect(report.error).toContain(`the archive name ${NAME} belongs to the job other`);
  expect(statSync(join(box.root, "remote", NAME)).mtimeMs).toBe(before);
});
