import { expect } from "vitest";
import type { Destination } from "../../src/contracts/destination.ts";
import { bufferSource } from "../../src/destinations/buffer-source.ts";
import { asArchive, type Case, expectNotFound, failureOf, listAll, readAll, signal } from "./harness.ts";
import { brokenSource, growingSource, hangingSource, sampleBytes, sha256 } from "./sources.ts";

/** More than one page of every store. */
const PAGE_BREAKER = 2_500;

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

async function acceptsNames(destination: Destination, names: readonly string[]): Promise<void> {
  for (const [at, name] of names.entries())
    await destination.put(name, bufferSource(sampleBytes(100 + at)), asArchive());
  expect((await listAll(destination, "archive")).map((object) => object.name)).toEqual(
    names.toSorted((a, b) => (a < b ? -1 : 1)),
  );
  for (const [at, name] of names.entries()) {
    expect((await readAll(destination, "archive", name)).byteLength).toBe(100 + at);
    await destination.remove("archive", name, signal());
  }
  expect(await listAll(destination, "archive")).toEqual([]);
}

/** What becomes of bytes that are put. */
export const storingCases: readonly Case[] = [
  { name: "stores, lists and reads 0 bytes", run: storesAndReads(0) },
  { name: "stores, lists and reads 1 byte", run: storesAndReads(1) },
  { name: "stores, lists and reads 5 MB", run: storesAndReads(5_000_000) },
  {
    name: "stores an archive of unknown length that still grows",
    async run(destination) {
      const bytes = sampleBytes(3_100_000, 7);
      const progress: number[] = [];
      const stored = await destination.put("grow.tar.gz", growingSource(bytes), {
        ...asArchive(),
        onProgress: (sent) => progress.push(sent),
      });
      expect(stored.sizeBytes).toBe(bytes.byteLength);
      expect(sha256(await readAll(destination, "archive", "grow.tar.gz"))).toBe(sha256(bytes));
      expect(progress.at(-1)).toBe(bytes.byteLength);
    },
  },
  {
    name: "accepts names with blanks, other scripts, quotes and line breaks",
    async run(destination) {
      const names = [
        "with blanks .tar.gz",
        "Ünïcödé-備份-🛟.tar",
        "quo'te\"s&$(x)`;|.tar.gz",
        "per%20cent+plus#hash?.tar",
        "line\nbreak\t.tar.gz",
        "-rf.tar",
        "~home.tar",
        "[a-z]*?.tar",
      ];
      await acceptsNames(destination, names);
    },
  },
  { name: "accepts a backslash in a name", run: (destination) => acceptsNames(destination, ["back\\slash.tar"]) },
  {
    name: "tells names that differ in case only apart",
    run: (destination) => acceptsNames(destination, ["Site.tar.gz", "site.tar.gz", "SITE.tar.gz"]),
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
      const error = await failureOf(
        destination.put("b.tar.gz", brokenSource(700_000, new Error("engine broke")), asArchive()),
      );
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
      await failureOf(
        destination.put("d.tar.gz", bufferSource(sampleBytes(10)), {
          ...asArchive(),
          signal: AbortSignal.abort(new Error("stop")),
        }),
      );
      expect(await store.rawNames("site")).toEqual([]);
    },
  },
  {
    name: "stores several objects at the same time",
    async run(destination) {
      const names = Array.from({ length: 8 }, (_, at) => `par-${at}.tar.gz`);
      await Promise.all(
        names.map((name, at) =>
          destination.put(name, growingSource(sampleBytes(200_000 + at, at + 1), 50_000), asArchive()),
        ),
      );
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
      await Promise.allSettled(
        contents.map((bytes) => destination.put("race.tar", growingSource(bytes, 40_000), asArchive())),
      );
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
        await Promise.all(
          names.slice(at, at + 50).map((name) => destination.put(name, bufferSource(Buffer.from(name)), asArchive())),
        );
      }
      expect((await listAll(destination, "archive")).map((object) => object.name)).toEqual(names);
    },
  },
];
