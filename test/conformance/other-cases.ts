import { expect } from "vitest";
import { bufferSource } from "../../src/destinations/buffer-source.ts";
import {
  asArchive,
  asRecord,
  type Case,
  expectCode,
  expectNotFound,
  failureOf,
  listAll,
  NEIGHBOUR,
  OWNER,
  readAll,
  signal,
} from "./harness.ts";
import { growingSource, sampleBytes } from "./sources.ts";

/** Reading, removing, records, prefixes, names, leftovers. */
export const otherCases: readonly Case[] = [
  {
    name: "reads ranges: start, middle, last byte, beyond the end, none",
    async run(destination) {
      const bytes = sampleBytes(1_000_003);
      await destination.put("range.tar", bufferSource(bytes), asArchive());
      const size = bytes.byteLength;
      for (const [offset, length] of [
        [0, 1],
        [0, size],
        [500_000, 4_096],
        [size - 1, 1],
        [size - 10, 1_000],
      ] as const) {
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
          for await (const chunk of body) if (chunk !== undefined) controller.abort(new Error("stop"));
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
      expect((await listAll(destination, "record")).map((object) => object.name)).toEqual([
        "a.tar.index",
        "site/run1.json",
      ]);
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
      const bad = [
        "",
        ".",
        "..",
        "../x.tar",
        "/x.tar",
        "a/b.tar",
        "a/../b",
        "x\0.tar",
        "\ud800.tar",
        ".x.tar.partial",
        ".lifeboat",
      ];
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
