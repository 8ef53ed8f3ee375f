import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Area, Destination, DestinationErrorCode, DestinationKind, JobTag, StoredObject } from "../../src/contracts/destination.ts";
import { bufferSource } from "../../src/destinations/buffer-source.ts";
import { DestinationError } from "../../src/lib/errors.ts";
import { brokenSource, growingSource, hangingSource, sampleBytes, sha256 } from "./sources.ts";

/** One store of one kind, empty at first. */
export interface ConformanceStore {
  /** A destination in that store under a folder (prefix) of its own; `site` and `site2` must not meet. */
  open(prefix: string): Promise<Destination>;
  /** Every object and unfinished upload below a prefix that the store's own tools see, hidden ones too. */
  rawNames(prefix: string): Promise<readonly string[]>;
  /** What a run of `owner` leaves that is killed in the middle of storing `name`. */
  plantLeftover(prefix: string, name: string, owner: JobTag): Promise<void>;
  cleanUp(): Promise<void>;
}

export interface ConformanceSpec {
  readonly label: string;
  readonly kind: DestinationKind;
  create(): Promise<ConformanceStore>;
  /** Cases that this kind cannot pass, each with its reason. An unknown name is an error. */
  readonly exceptions?: Readonly<Record<string, string>>;
  /** Text that no label, message or hint may contain. */
  readonly secrets?: readonly string[];
}

export const OWNER: JobTag = { host: "host-a", job: "site", runId: "20261122T213000Z-a1b2c3" };
const NEIGHBOUR: JobTag = { host: "host-b", job: "site", runId: "20261122T213000Z-d4e5f6" };
const PAGE_BREAKER = 2_500;

interface Case {
  readonly name: string;
  readonly timeoutMs?: number;
  run(destination: Destination, store: ConformanceStore, spec: ConformanceSpec): Promise<void>;
}

const signal = (): AbortSignal => AbortSignal.timeout(60_000);
const asArchive = (): { area: Area; owner: JobTag; signal: AbortSignal } => ({ area: "archive", owner: OWNER, signal: signal() });
const asRecord = (): { area: Area; owner: JobTag; signal: AbortSignal } => ({ ...asArchive(), area: "record" });

export async function listAll(destination: Destination, area: Area): Promise<StoredObject[]> {
  const found: StoredObject[] = [];
  for await (const object of destination.list(area, signal())) found.push(object);
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

export async function readAll(destination: Destination, area: Area, name: string, range?: { offset: number; length: number }): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await destination.get(area, name, range, signal())) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("it succeeded");
}

async function expectCode(work: Promise<unknown>, code: DestinationErrorCode, spec: ConformanceSpec): Promise<void> {
  const error = await failureOf(work);
  expect(error).toBeInstanceOf(DestinationError);
  if (!(error instanceof DestinationError)) return;
  expect(error.code).toBe(code);
  for (const secret of spec.secrets ?? []) expect(`${error.message} ${error.hint ?? ""}`).not.toContain(secret);
}

function storesAndReads(sizeBytes: number): Case["run"] {
  return async (destination) => {
    const bytes = sampleBytes(sizeBytes);
    const stored = await destination.put("a.tar.gz", bufferSource(bytes), asArchive());
    expect(stored).toMatchObject({ name: "a.tar.gz", sizeBytes });
    expect(stored.verified).toBeDefined();
    const listed = await listAll(destination, "archive");
    expect(listed.map(({ name, sizeBytes: size }) => [name, size])).toEqual([["a.tar.gz", sizeBytes]]);
    expect(Math.abs(Date.now() - (listed[0]?.storedAt ?? 0))).toBeLessThan(15 * 60_000);
    expect(sha256(await readAll(destination, "archive", "a.tar.gz"))).toBe(sha256(bytes));
  };
}

export const cases: readonly Case[] = [
  { name: "stores, lists and reads 0 bytes", run: storesAndReads(0) },
  { name: "stores, lists and reads 1 byte", run: storesAndReads(1) },
  { name: "stores, lists and reads 5 MB", run: storesAndReads(5_000_000) },
  {
    name: "stores an archive of unknown length that still grows",
    async run(destination) {
      const bytes = sampleBytes(3_100_000, 7);
      const progress: number[] = [];
      const stored = await destination.put("grow.tar.gz", growingSource(bytes), { ...asArchive(), onProgress: (sent) => progress.push(sent) });
      expect(stored.sizeBytes).toBe(bytes.byteLength);
      expect(sha256(await readAll(destination, "archive", "grow.tar.gz"))).toBe(sha256(bytes));
      expect(progress.at(-1)).toBe(bytes.byteLength);
    },
  },
  {
    name: "accepts names with blanks, other scripts, quotes and line breaks",
    async run(destination) {
      const names = ["with blanks .tar.gz", "Ünïcödé-備份-🛟.tar", "quo'te\"s&$(x)`;|.tar.gz", "per%20cent+plus#hash?.tar", "line\nbreak\t.tar.gz", "-rf.tar", "~home.tar", "[a-z]*?.tar", "back\\slash.tar"];
      for (const [at, name] of names.entries()) await destination.put(name, bufferSource(sampleBytes(100 + at)), asArchive());
      expect((await listAll(destination, "archive")).map((object) => object.name)).toEqual([...names].sort((a, b) => (a < b ? -1 : 1)));
      for (const [at, name] of names.entries()) {
        expect((await readAll(destination, "archive", name)).byteLength).toBe(100 + at);
        await destination.remove("archive", name, signal());
      }
      expect(await listAll(destination, "archive")).toEqual([]);
    },
  },
  {
    name: "replaces an archive of the same name, whole by whole",
    async run(destination) {
      await destination.put("same.tar.gz", bufferSource(sampleBytes(200_000, 1)), asArchive());
      const second = sampleBytes(100_000, 2);
      await destination.put("same.tar.gz", bufferSource(second), asArchive());
      expect(await listAll(destination, "archive")).toHaveLength(1);
      expect(sha256(await readAll(destination, "archive", "same.tar.gz"))).toBe(sha256(second));
    },
  },
  {
    name: "an old archive stays readable until its replacement is whole",
    async run(destination) {
      const first = sampleBytes(50_000, 1);
      await destination.put("same.tar.gz", bufferSource(first), asArchive());
      await failureOf(destination.put("same.tar.gz", brokenSource(400_000, new Error("engine broke")), asArchive()));
      expect(sha256(await readAll(destination, "archive", "same.tar.gz"))).toBe(sha256(first));
    },
  },
  {
    name: "a source that fails in the middle leaves nothing and its own error",
    async run(destination, store) {
      const error = await failureOf(destination.put("b.tar.gz", brokenSource(700_000, new Error("engine broke")), asArchive()));
      expect(error).toHaveProperty("message", expect.stringContaining("engine broke"));
      expect(await listAll(destination, "archive")).toEqual([]);
      expect(await store.rawNames("site")).toEqual([]);
    },
  },
  {
    name: "an abort in the middle ends the call within seconds and leaves nothing visible",
    async run(destination) {
      for (const obeys of ["signal", "nothing"] as const) {
        const controller = new AbortController();
        const hanging = hangingSource(700_000, () => controller.abort(new Error("stop now")), obeys);
        const startedAt = performance.now();
        await failureOf(destination.put("c.tar.gz", hanging, { ...asArchive(), signal: controller.signal }));
        expect(performance.now() - startedAt).toBeLessThan(5_000);
        expect(await listAll(destination, "archive")).toEqual([]);
        await expectNotFound(destination, "c.tar.gz");
      }
    },
  },
  {
    name: "a signal that is aborted already stores nothing",
    async run(destination, store) {
      await failureOf(destination.put("d.tar.gz", bufferSource(sampleBytes(10)), { ...asArchive(), signal: AbortSignal.abort(new Error("stop")) }));
      expect(await store.rawNames("site")).toEqual([]);
    },
  },
  {
    name: "stores several objects at the same time",
    async run(destination) {
      const names = Array.from({ length: 8 }, (_, at) => `par-${at}.tar.gz`);
      await Promise.all(names.map((name, at) => destination.put(name, growingSource(sampleBytes(200_000 + at, at + 1), 50_000), asArchive())));
      expect((await listAll(destination, "archive")).map((object) => object.name)).toEqual(names);
      for (const [at, name] of names.entries()) {
        expect(sha256(await readAll(destination, "archive", name))).toBe(sha256(sampleBytes(200_000 + at, at + 1)));
      }
    },
  },
  {
    name: "two writers of one name leave one whole archive",
    async run(destination) {
      const contents = [sampleBytes(300_000, 1), sampleBytes(250_000, 2)];
      await Promise.allSettled(contents.map((bytes) => destination.put("race.tar", growingSource(bytes, 40_000), asArchive())));
      const listed = await listAll(destination, "archive");
      expect(listed.map((object) => object.name)).toEqual(["race.tar"]);
      expect(contents.map(sha256)).toContain(sha256(await readAll(destination, "archive", "race.tar")));
    },
  },
  {
    name: "lists 2,500 objects",
    timeoutMs: 300_000,
    async run(destination) {
      const names = Array.from({ length: PAGE_BREAKER }, (_, at) => `many-${String(at).padStart(4, "0")}.tar`);
      for (let at = 0; at < names.length; at += 50) {
        await Promise.all(names.slice(at, at + 50).map((name) => destination.put(name, bufferSource(Buffer.from(name)), asArchive())));
      }
      expect((await listAll(destination, "archive")).map((object) => object.name)).toEqual(names);
    },
  },
  {
    name: "reads ranges: start, middle, last byte, beyond the end, none",
    async run(destination) {
      const bytes = sampleBytes(1_000_003);
      await destination.put("range.tar", bufferSource(bytes), asArchive());
      const size = bytes.byteLength;
      for (const [offset, length] of [[0, 1], [0, size], [500_000, 4_096], [size - 1, 1], [size - 10, 1_000]] as const) {
        const got = await readAll(destination, "archive", "range.tar", { offset, length });
        expect(got.equals(bytes.subarray(offset, offset + length))).toBe(true);
      }
      expect(await readAll(destination, "archive", "range.tar", { offset: 5, length: 0 })).toHaveLength(0);
      expect(await readAll(destination, "archive", "range.tar", { offset: size + 5, length: 10 })).toHaveLength(0);
    },
  },
  {
    name: "a missing object is `not-found` before any byte flows",
    async run(destination) {
      await expectNotFound(destination, "missing.tar");
      await destination.put("other.tar", bufferSource(sampleBytes(10)), asArchive());
      await expectNotFound(destination, "missing.tar");
    },
  },
  {
    name: "reading can be aborted",
    async run(destination) {
      await destination.put("long.tar", bufferSource(sampleBytes(4_000_000)), asArchive());
      const controller = new AbortController();
      const body = await destination.get("archive", "long.tar", undefined, controller.signal);
      await failureOf(
        (async () => {
          for await (const _chunk of body) controller.abort(new Error("stop"));
        })(),
      );
      expect(body.destroyed).toBe(true);
    },
  },
  {
    name: "removes, and removing what is missing is success",
    async run(destination) {
      await destination.remove("archive", "never.tar", signal());
      await destination.put("x.tar", bufferSource(sampleBytes(10)), asArchive());
      await destination.remove("archive", "x.tar", signal());
      await destination.remove("archive", "x.tar", signal());
      expect(await listAll(destination, "archive")).toEqual([]);
      await expectNotFound(destination, "x.tar");
    },
  },
  {
    name: "a store that was never written to lists nothing",
    async run(destination) {
      expect(await listAll(destination, "archive")).toEqual([]);
      expect(await listAll(destination, "record")).toEqual([]);
      expect(await destination.removeLeftovers(OWNER, signal())).toBe(0);
    },
  },
  {
    name: "records lie apart from archives, at any depth, and are replaced",
    async run(destination) {
      await destination.put("a.tar", bufferSource(sampleBytes(10)), asArchive());
      await destination.put("site/run1.json", bufferSource(Buffer.from("{}")), asRecord());
      await destination.put("site/run1.json", bufferSource(Buffer.from('{"a":1}')), asRecord());
      await destination.put("a.tar.index", bufferSource(sampleBytes(5)), asRecord());
      expect((await listAll(destination, "archive")).map((object) => object.name)).toEqual(["a.tar"]);
      expect((await listAll(destination, "record")).map((object) => object.name)).toEqual(["a.tar.index", "site/run1.json"]);
      expect((await readAll(destination, "record", "site/run1.json")).toString()).toBe('{"a":1}');
      await destination.remove("record", "site/run1.json", signal());
      await destination.remove("record", "other/missing.json", signal());
      expect((await listAll(destination, "record")).map((object) => object.name)).toEqual(["a.tar.index"]);
    },
  },
  {
    name: "a prefix is a folder: neighbours of a similar name never meet",
    async run(destination, store) {
      const neighbours = await Promise.all(["site2", "site-b", "sit"].map((prefix) => store.open(prefix)));
      for (const neighbour of neighbours) {
        await neighbour.put("n.tar", bufferSource(sampleBytes(3)), asArchive());
        await neighbour.put("j/n.json", bufferSource(sampleBytes(3)), asRecord());
      }
      expect(await listAll(destination, "archive")).toEqual([]);
      expect(await listAll(destination, "record")).toEqual([]);
      await destination.put("own.tar", bufferSource(sampleBytes(3)), asArchive());
      for (const neighbour of neighbours) {
        expect((await listAll(neighbour, "archive")).map((object) => object.name)).toEqual(["n.tar"]);
        await neighbour.close();
      }
    },
  },
  {
    name: "refuses names that lead elsewhere, in every method",
    async run(destination, store, spec) {
      const bad = ["", ".", "..", "../x.tar", "/x.tar", "a/b.tar", "a/../b", "x\0.tar", "\ud800.tar", ".x.tar.partial", ".lifeboat"];
      for (const name of bad) {
        await expectCode(destination.put(name, bufferSource(sampleBytes(3)), asArchive()), "invalid", spec);
        await expectCode(destination.get("archive", name, undefined, signal()), "invalid", spec);
        await expectCode(destination.remove("archive", name, signal()), "invalid", spec);
      }
      for (const name of ["", "..", "../x", "a/../../x", "/a", "a//b", "a/", "a/./b", "a/\0"]) {
        await expectCode(destination.put(name, bufferSource(sampleBytes(3)), asRecord()), "invalid", spec);
        await expectCode(destination.get("record", name, undefined, signal()), "invalid", spec);
        await expectCode(destination.remove("record", name, signal()), "invalid", spec);
      }
      expect(await store.rawNames("site")).toEqual([]);
    },
  },
  {
    name: "own leftovers go at once, a neighbour's stay, finished archives too",
    async run(destination, store) {
      await destination.put("kept.tar", bufferSource(sampleBytes(10)), asArchive());
      await store.plantLeftover("site", "dead.tar", OWNER);
      await store.plantLeftover("site", "alive.tar", NEIGHBOUR);
      const before = await store.rawNames("site");
      expect((await listAll(destination, "archive")).map((object) => object.name)).toEqual(["kept.tar"]);
      expect(await destination.removeLeftovers(OWNER, signal())).toBe(1);
      expect(await destination.removeLeftovers(OWNER, signal())).toBe(0);
      expect(await store.rawNames("site")).toHaveLength(before.length - 1);
      expect((await listAll(destination, "archive")).map((object) => object.name)).toEqual(["kept.tar"]);
    },
    timeoutMs: 60_000,
  },
  {
    name: "an upload that is under way is no leftover",
    async run(destination) {
      const body = growingSource(sampleBytes(600_000), 50_000, 30);
      const upload = destination.put("live.tar", body, asArchive());
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(await destination.removeLeftovers(NEIGHBOUR, signal())).toBe(0);
      expect((await upload).sizeBytes).toBe(600_000);
    },
  },
  {
    name: "its label holds no secret and says what kind it is",
    async run(destination, _store, spec) {
      expect(destination.kind).toBe(spec.kind);
      expect(destination.label).toContain(spec.kind);
      for (const secret of spec.secrets ?? []) expect(destination.label).not.toContain(secret);
    },
  },
];

async function expectNotFound(destination: Destination, name: string): Promise<void> {
  const error = await failureOf(destination.get("archive", name, undefined, signal()));
  expect(error).toBeInstanceOf(DestinationError);
  expect(error).toHaveProperty("code", "not-found");
}

/** Runs every case against fresh stores of one kind. */
export function testDestination(spec: ConformanceSpec): void {
  const exceptions = spec.exceptions ?? {};
  describe(`conformance: ${spec.label}`, () => {
    let store: ConformanceStore;
    let destination: Destination;
    beforeEach(async () => {
      store = await spec.create();
      destination = await store.open("site");
    });
    afterEach(async () => {
      await destination.close();
      await store.cleanUp();
    });
    it("names only known cases as exceptions", () => {
      const known = new Set(cases.map((entry) => entry.name));
      expect(Object.keys(exceptions).filter((name) => !known.has(name))).toEqual([]);
    });
    for (const entry of cases) {
      const reason = exceptions[entry.name];
      if (reason === undefined) it(entry.name, { timeout: entry.timeoutMs ?? 30_000 }, () => entry.run(destination, store, spec));
      else it.skip(`${entry.name} (not here: ${reason})`, () => undefined);
    }
  });
}
