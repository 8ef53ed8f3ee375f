import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { failureOf, listAll, OWNER } from "../../test/conformance/harness.ts";
import { sampleBytes, sha256 } from "../../test/conformance/sources.ts";
import type { Destination, PutOptions } from "../contracts/destination.ts";
import { createLocalDestination } from "../destinations/local/local.ts";
import { sleep } from "../lib/clock.ts";
import { DestinationError } from "../lib/errors.ts";
import { deliverAll, failedDelivery } from "./deliver.ts";
import { cleanLeftovers } from "./leftovers.ts";
import type { StagedArchive } from "./staged-archive.ts";
import { openStage } from "./staging.ts";

let root: string;
const bytes = sampleBytes(1_500_000, 9);
const fast = { attempts: 3, baseMs: 5, maxMs: 10 };

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
});
afterEach(() => fs.rmSync(root, { recursive: true }));

function folderDestination(name: string): Destination {
  fs.mkdirSync(path.join(root, name));
  return createLocalDestination({ folder: path.join(root, name), label: name });
}

/** A store that is not a folder, whose `put` behaves as told. */
function store(label: string, put: (attempt: number, options: PutOptions) => Promise<void>): Destination {
  const inner = folderDestination(label);
  let attempt = 0;
  return {
    ...inner,
    kind: "ssh",
    async put(name, body, options) {
      attempt += 1;
      await put(attempt, options);
      return await inner.put(name, body, options);
    },
  };
}

async function* pieces(pauseMs = 0): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 100_000) {
    if (pauseMs > 0) await sleep(pauseMs);
    yield bytes.subarray(at, at + 100_000);
  }
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield bytes;
  throw new DestinationError("unavailable", "the disk went away");
}

async function stage(local: Destination | undefined, signal: AbortSignal): Promise<StagedArchive> {
  return await openStage({
    name: "a.tar",
    owner: OWNER,
    local,
    spoolFolder: path.join(root, "spool"),
    neededBytes: 0,
    signal,
  });
}

it("delivers everywhere at the same time while the archive is still written", async () => {
  const { signal } = new AbortController();
  const local = folderDestination("home");
  let startedBeforeEnd = false;
  let ended = false;
  const remotes = ["one", "two"].map((label) =>
    store(label, async () => {
      startedBeforeEnd ||= !ended;
    }),
  );
  const staged = await stage(local, signal);
  const done: string[] = [];
  const delivery = deliverAll(staged, [local, ...remotes], {
    name: "a.tar",
    owner: OWNER,
    signal,
    onDone: (report) => done.push(report.destination),
  });
  await staged.write(pieces(2), signal);
  ended = true;
  const reports = await delivery;
  await staged.discard();
  expect(startedBeforeEnd).toBe(true);
  expect(
    reports.map(({ destination, kind, status, sizeBytes, verified, attempts }) => [
      destination,
      kind,
      status,
      sizeBytes,
      verified,
      attempts,
    ]),
  ).toEqual([
    ["home", "local", "stored", bytes.byteLength, "size", 1],
    ["one", "ssh", "stored", bytes.byteLength, "size", 1],
    ["two", "ssh", "stored", bytes.byteLength, "size", 1],
  ]);
  expect([...done].toSorted()).toEqual(["home", "one", "two"]);
  for (const name of ["home", "one", "two"]) {
    expect(fs.readdirSync(path.join(root, name))).toEqual(["a.tar"]);
    expect(sha256(fs.readFileSync(path.join(root, name, "a.tar")))).toBe(sha256(bytes));
  }
});

it("tries again what was unavailable, within bounds, and nothing else", async () => {
  const { signal } = new AbortController();
  const unavailable = new DestinationError("unavailable", "cannot connect: connection refused", {
    hint: "check SSH_HOST_NAME",
  });
  const destinations = [
    store("flaky", async (attempt) => {
      if (attempt < 3) throw unavailable;
    }),
    store("dead", () => Promise.reject(unavailable)),
    store("denied", () => Promise.reject(new DestinationError("denied", "cannot store: access denied"))),
    store("defect", () => Promise.reject(new TypeError("x is not a function"))),
    store("fine", () => Promise.resolve()),
  ];
  const staged = await stage(undefined, signal);
  await staged.write(pieces(), signal);
  const retries: string[] = [];
  const reports = await deliverAll(staged, destinations, {
    name: "a.tar",
    owner: OWNER,
    signal,
    retry: fast,
    onRetry: (destination, attempt, error) => retries.push(`${destination} ${attempt} ${error}`),
  });
  await staged.discard();
  expect(reports.map(({ destination, status, attempts, error }) => [destination, status, attempts, error])).toEqual([
    ["flaky", "stored", 3, undefined],
    ["dead", "failed", 3, "cannot connect: connection refused (check SSH_HOST_NAME)"],
    ["denied", "failed", 1, "cannot store: access denied"],
    ["defect", "failed", 1, "x is not a function"],
    ["fine", "stored", 1, undefined],
  ]);
  expect(retries.filter((line) => line.startsWith("flaky"))).toEqual([
    "flaky 1 cannot connect: connection refused (check SSH_HOST_NAME)",
    "flaky 2 cannot connect: connection refused (check SSH_HOST_NAME)",
  ]);
  expect(retries).toHaveLength(4);
});

it("gives up on one that ignores an abort, and says why everything failed", async () => {
  const controller = new AbortController();
  const destinations = [
    store("deaf", () => new Promise(() => undefined)),
    store("waits", async (_attempt, options) => {
      await sleep(60_000, options.signal);
    }),
  ];
  const staged = await stage(undefined, controller.signal);
  await staged.write(pieces(), controller.signal);
  setTimeout(() => controller.abort(new Error("interrupted by SIGTERM")), 50);
  const startedAt = performance.now();
  const reports = await deliverAll(staged, destinations, { name: "a.tar", owner: OWNER, signal: controller.signal });
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  expect(reports.map(({ status, error }) => [status, error])).toEqual([
    ["failed", "interrupted by SIGTERM"],
    ["failed", "interrupted by SIGTERM"],
  ]);
  await staged.discard();
});

it("gives up on a store that stays silent, whatever it does with the abort, but not while it waits for the archive", async () => {
  const { signal } = new AbortController();
  const staged = await stage(undefined, signal);
  const destinations = [store("silent", () => new Promise(() => undefined)), store("patient", () => Promise.resolve())];
  const delivery = deliverAll(staged, destinations, { name: "a.tar", owner: OWNER, signal, silentMs: 300 });
  await staged.write(pieces(60), signal);
  const reports = await delivery;
  await staged.discard();
  expect(reports.map(({ status, error }) => [status, error])).toEqual([
    ["failed", "gave no sign of life for 300ms"],
    ["stored", undefined],
  ]);
});

it("stores nothing anywhere of an archive that failed, and does not send it again", async () => {
  const { signal } = new AbortController();
  const local = folderDestination("home");
  const remote = store("remote", () => Promise.resolve());
  const staged = await stage(local, signal);
  const delivery = deliverAll(staged, [local, remote], { name: "a.tar", owner: OWNER, signal, retry: fast });
  await failureOf(staged.write(broken(), signal));
  const reports = await delivery;
  await staged.discard();
  expect(reports.map(({ status, error, attempts }) => [status, error, attempts])).toEqual([
    ["failed", "the disk went away", 1],
    ["failed", "the disk went away", 1],
  ]);
  for (const destination of [local, remote]) expect(await listAll(destination, "archive")).toEqual([]);
  expect(fs.readdirSync(path.join(root, "home"))).toEqual([]);
});

it("a local folder that can't take the archive fails alone; another local-kind store gets a copy", async () => {
  const { signal } = new AbortController();
  const missing = createLocalDestination({ folder: path.join(root, "missing") });
  const other = folderDestination("other");
  const staged = await stage(missing, signal);
  await staged.write(pieces(), signal);
  const reports = await deliverAll(staged, [missing, other], { name: "a.tar", owner: OWNER, signal });
  await staged.discard();
  expect(reports.map(({ status }) => status)).toEqual(["failed", "stored"]);
  expect(reports[0]?.error).toContain("does not exist");
  expect(failedDelivery(missing, new Error("x"), 5, 1)).toEqual({
    destination: missing.label,
    kind: "local",
    status: "failed",
    durationMs: 5,
    attempts: 1,
    error: "x",
  });
});

it("does not try a local folder again that failed while the archive was written", async () => {
  const { signal } = new AbortController();
  const local = folderDestination("home");
  const other = folderDestination("other");
  const localFailure = { destination: local, error: new DestinationError("full", "not enough space") };
  const staged = await openStage({
    name: "a.tar",
    owner: OWNER,
    local: undefined,
    localFailure,
    spoolFolder: path.join(root, "spool"),
    neededBytes: 0,
    signal,
  });
  await staged.write(pieces(), signal);
  const reports = await deliverAll(staged, [local, other], { name: "a.tar", owner: OWNER, signal });
  await staged.discard();
  expect(reports.map(({ status, error }) => [status, error])).toEqual([
    ["failed", "not enough space"],
    ["stored", undefined],
  ]);
});

it("cleans leftovers everywhere and collects what went wrong", async () => {
  const good = folderDestination("good");
  const bad: Destination = {
    ...good,
    label: "bad",
    removeLeftovers: () => Promise.reject(new DestinationError("denied", "no")),
  };
  expect(await cleanLeftovers([bad, good], OWNER, AbortSignal.timeout(5_000))).toEqual({
    removed: 0,
    errors: [{ destination: "bad", error: "no" }],
  });
});
