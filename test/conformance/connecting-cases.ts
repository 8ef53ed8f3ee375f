import { expect } from "vitest";
import type { Destination, DestinationErrorCode } from "../../src/contracts/destination.ts";
import { bufferSource } from "../../src/destinations/buffer-source.ts";
import {
  asArchive,
  type Case,
  type ConformanceSpec,
  expectHelpful,
  expectNamesSetting,
  failureOf,
  readAll,
  signal,
} from "./harness.ts";
import { sampleBytes, sha256 } from "./sources.ts";

/** Wrong credentials are `denied`; a few stores can't tell them from a missing target, none may call them anything else. */
const REFUSALS: Readonly<Record<"credentials" | "target", readonly DestinationErrorCode[]>> = {
  credentials: ["denied"],
  target: ["not-found", "denied", "invalid"],
};

/** What a store says before anything is stored. */
export const connectingCases: readonly Case[] = [
  {
    name: "connecting to a good store succeeds and writes nothing",
    async run(destination, store) {
      await destination.connect(signal());
      expect(await store.rawNames("site")).toEqual([]);
      await destination.connect(signal());
      await destination.put("after.tar", bufferSource(sampleBytes(10)), asArchive());
      await destination.connect(signal());
      expect(await readAll(destination, "archive", "after.tar")).toHaveLength(10);
    },
  },
  {
    name: "wrong credentials are refused, by connect and by put, with a setting to look at",
    run: async (_destination, store, spec) => expectRefusals(store.openWrong?.("credentials"), "credentials", spec),
  },
  {
    name: "a missing bucket or folder is refused, by connect and by put, with a setting to look at",
    run: async (_destination, store, spec) => expectRefusals(store.openWrong?.("target"), "target", spec),
  },
  {
    name: "an unknown authority's certificate is accepted where the setting names the authority",
    run: async (_destination, store) => expectWorks(store.openTls?.("ca")),
  },
  {
    name: "an unknown authority's certificate is accepted where the check is switched off",
    run: async (_destination, store) => expectWorks(store.openTls?.("insecure")),
  },
  {
    name: "an unknown authority's certificate is refused otherwise, with a setting to look at",
    timeoutMs: 60_000,
    async run(_destination, store, spec) {
      const destination = await given(store.openTls?.("untrusted"));
      const error = await failureOf(destination.connect(signal()));
      expectHelpful(error, spec);
      expect(error.message).toMatch(/certificate/i);
      expectNamesSetting(error);
      const body = bufferSource(sampleBytes(10));
      expectHelpful(await failureOf(destination.put("x.tar", body, asArchive())), spec);
      await destination.close();
    },
  },
  {
    name: "closing while idle ends at once, also twice and unused",
    async run(destination, store) {
      const unused = await store.open("site");
      await unused.close();
      await destination.put("a.tar", bufferSource(sampleBytes(10)), asArchive());
      expect(await readAll(destination, "archive", "a.tar")).toHaveLength(10);
      const startedAt = performance.now();
      await destination.close();
      await destination.close();
      expect(performance.now() - startedAt).toBeLessThan(5_000);
    },
  },
];

async function given(opened: Promise<Destination> | undefined): Promise<Destination> {
  if (opened === undefined)
    throw new Error(
      "the store of this kind gives no destination for this case: add the hook, or an exception with its reason",
    );
  return await opened;
}

async function expectRefusals(
  opened: Promise<Destination> | undefined,
  wrong: "credentials" | "target",
  spec: ConformanceSpec,
): Promise<void> {
  const destination = await given(opened);
  try {
    for (const attempt of [
      () => destination.connect(signal()),
      () => destination.put("x.tar", bufferSource(sampleBytes(1_000)), asArchive()),
    ]) {
      const startedAt = performance.now();
      const error = await failureOf(attempt());
      expectHelpful(error, spec);
      expect(REFUSALS[wrong]).toContain(error.code);
      expectNamesSetting(error);
      // A refusal is not retried.
      expect(performance.now() - startedAt).toBeLessThan(15_000);
    }
  } finally {
    await destination.close();
  }
}

async function expectWorks(opened: Promise<Destination> | undefined): Promise<void> {
  const destination = await given(opened);
  try {
    await destination.connect(signal());
    // More than 2 MB: client libraries treat large bodies differently, TLS options included.
    const bytes = sampleBytes(3_000_000);
    await destination.put("tls.tar", bufferSource(bytes), asArchive());
    expect(sha256(await readAll(destination, "archive", "tls.tar"))).toBe(sha256(bytes));
  } finally {
    await destination.close();
  }
}
