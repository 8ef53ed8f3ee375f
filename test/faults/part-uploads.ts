import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Destination } from "../../src/contracts/destination.ts";
import { DestinationError } from "../../src/lib/errors.ts";
import { generatedSource } from "../conformance/generated-source.ts";
import { asArchive, failureOf, hashOf, listAll, signal } from "../conformance/harness.ts";
import { brokenSource, hangingSource } from "../conformance/sources.ts";
import type { Fault } from "./fault.ts";
import { type Burst, type HttpFaults, startHttpFaults } from "./http-faults.ts";
import { type FaultProxy, startFaultProxy } from "./proxy.ts";

/** A store that takes an archive in parts, reachable through a port of 127.0.0.1. */
export interface PartStore {
  readonly port: number;
  /** A destination below `site` that reaches the store through another port. */
  open(port: number): Promise<Destination>;
  /** With credentials that are wrong. */
  openWrong(port: number): Promise<Destination>;
  /** Every finished object and unfinished upload that the store's own tools see. */
  rawNames(): Promise<readonly string[]>;
  cleanUp(): Promise<void>;
}

export interface PartStoreSpec {
  readonly label: string;
  create(): Promise<PartStore>;
  /** Requests that carry a part. */
  readonly part: Pick<Burst, "methods" | "path">;
  /** The request that makes the archive appear. */
  readonly commit: Pick<Burst, "methods" | "path">;
  /** What an ended upload may leave for the store itself to drop. */
  readonly mayLeaveParts: boolean;
}

const SIZE_BYTES = 36_000_000;
const NAME = "fault.tar.gz";

/** What is particular to uploads in parts; the rest is in the fault table. */
export function testPartUploads(spec: PartStoreSpec): void {
  describe(`faults: ${spec.label}`, () => {
    let store: PartStore;
    let proxy: FaultProxy | undefined;
    let http: HttpFaults | undefined;
    let destination: Destination;

    beforeEach(async () => {
      store = await spec.create();
    });
    afterEach(async () => {
      await destination.close();
      await proxy?.close();
      await http?.close();
      proxy = undefined;
      http = undefined;
      await store.cleanUp();
    });
    const behind = async (fault: Fault): Promise<FaultProxy> => {
      proxy = await startFaultProxy({ port: store.port, fault });
      destination = await store.open(proxy.port);
      return proxy;
    };
    const withBursts = async (...bursts: Burst[]): Promise<HttpFaults> => {
      http = await startHttpFaults(store.port, bursts);
      destination = await store.open(http.port);
      return http;
    };
    const expectStored = async (): Promise<void> => {
      const body = generatedSource(SIZE_BYTES, { windowBytes: 48 * 1024 * 1024 });
      const progress: number[] = [];
      const stored = await destination.put(NAME, body, {
        ...asArchive(),
        signal: signal(150_000),
        onProgress: (sent) => progress.push(sent),
      });
      expect(stored).toMatchObject({ name: NAME, sizeBytes: SIZE_BYTES });
      expect(progress).toEqual(progress.toSorted((a, b) => a - b));
      expect(progress.at(-1)).toBe(SIZE_BYTES);
      const direct = await store.open(store.port);
      const read = await direct.get("archive", NAME, undefined, signal());
      expect(await hashOf(read)).toEqual({ sizeBytes: SIZE_BYTES, sha256: body.sha256 });
      await direct.close();
      expect(await store.rawNames()).toEqual([`site/${NAME}`]);
    };
    const expectFailed = async (within: number): Promise<DestinationError> => {
      const startedAt = performance.now();
      const error = await failureOf(
        destination.put(NAME, generatedSource(SIZE_BYTES), {
          ...asArchive(),
          signal: signal(300_000),
        }),
      );
      expect(performance.now() - startedAt).toBeLessThan(within);
      expect(error).toBeInstanceOf(DestinationError);
      return error as DestinationError;
    };
    const expectNothingThere = async (): Promise<void> => {
      const direct = await store.open(store.port);
      expect(await listAll(direct, "archive")).toEqual([]);
      await direct.close();
      if (!spec.mayLeaveParts) expect(await store.rawNames()).toEqual([]);
    };

    it("a connection that is cut once costs one part, not the upload", async () => {
      await behind({ kind: "cut-once", afterBytes: 12_000_000 });
      await expectStored();
      expect(proxy?.seen.cuts).toBe(1);
    });

    it(
      "connections that are always cut end the upload within a minute, with nothing left",
      { timeout: 120_000 },
      async () => {
        await behind({ kind: "cut-always", afterBytes: 1_500_000 });
        const error = await expectFailed(90_000);
        expect(error).toMatchObject({ code: "unavailable", isFinal: true });
        await expectNothingThere();
      },
    );

    it.each([500, 503, 429])(
      "parts that are answered %i are sent again, after the pause that is asked for",
      async (status) => {
        const { requests } = await withBursts(
          { status, times: 2, ...spec.part, retryAfter: 2, when: "after-body" },
          { status, times: 1, ...spec.part, when: "at-once" },
        );
        const startedAt = performance.now();
        await expectStored();
        expect(performance.now() - startedAt).toBeGreaterThan(2_000);
        expect(requests.filter((request) => request.fault)).toHaveLength(3);
      },
    );

    it("a commit whose answer is lost still counts", async () => {
      const { requests } = await withBursts({ status: 500, times: 1, ...spec.commit, when: "after-server" });
      await expectStored();
      expect(requests.filter((request) => request.fault)).toHaveLength(1);
    });

    it("a full store is no reason to try again", async () => {
      const { requests } = await withBursts({ status: 507, times: 99, ...spec.part });
      const error = await expectFailed(15_000);
      expect(error.code).toBe("full");
      expect(error.message).toContain("507");
      expect(requests.filter((request) => request.fault).length).toBeLessThan(6);
      await expectNothingThere();
    });

    it("a web page instead of an answer is said to be one", { timeout: 120_000 }, async () => {
      await withBursts({
        status: 200,
        times: 999,
        body: "<html><body>Please log in</body></html>",
        headers: { "content-type": "text/html" },
      });
      const error = await expectFailed(100_000);
      expect(error.code).not.toBe("denied");
      expect(error.hint ?? "").toMatch(/[A-Z]+_[A-Z_]+/);
      await expectNothingThere();
    });

    it("wrong credentials are told before a large body is sent in vain", async () => {
      await behind({ kind: "none" });
      await destination.close();
      destination = await store.openWrong(proxy?.port ?? 0);
      const error = await failureOf(destination.put(NAME, generatedSource(4_500_000), asArchive()));
      expect(error).toMatchObject({ code: "denied" });
      await expectNothingThere();
    });

    it("an abort between parts ends within a second and leaves nothing", async () => {
      await behind({ kind: "none" });
      for (const obeys of ["signal", "nothing"] as const) {
        const controller = new AbortController();
        let abortedAt = 0;
        const body = hangingSource(
          21_000_000,
          () => {
            setTimeout(() => {
              abortedAt = performance.now();
              controller.abort(new Error("stop now"));
            }, 300);
          },
          obeys,
        );
        const error = await failureOf(destination.put(NAME, body, { ...asArchive(), signal: controller.signal }));
        expect(error).toHaveProperty("message", "stop now");
        expect(performance.now() - abortedAt).toBeLessThan(1_000);
        await expectNothingThere();
      }
    });

    it("an abort while bytes are on the way ends within a second and leaves nothing", async () => {
      await behind({ kind: "rate", bytesPerSecond: 3_000_000 });
      const controller = new AbortController();
      setTimeout(() => controller.abort(new Error("stop now")), 2_000);
      const startedAt = performance.now();
      await failureOf(
        destination.put(NAME, generatedSource(SIZE_BYTES), { ...asArchive(), signal: controller.signal }),
      );
      expect(performance.now() - startedAt).toBeLessThan(3_200);
      await expectNothingThere();
    });

    it("a source that fails between parts leaves nothing and its own error", async () => {
      await behind({ kind: "none" });
      const error = await failureOf(
        destination.put(NAME, brokenSource(21_000_000, new Error("engine broke")), asArchive()),
      );
      expect(error).toHaveProperty("message", "engine broke");
      await expectNothingThere();
    });

    it("a download goes on where it was cut", async () => {
      const { setFault } = await behind({ kind: "none" });
      const body = generatedSource(SIZE_BYTES);
      await destination.put(NAME, body, { ...asArchive(), signal: signal(120_000) });
      await setFault({ kind: "cut-once", afterBytes: 7_000_000, direction: "down" });
      const read = await destination.get("archive", NAME, undefined, signal());
      expect(await hashOf(read)).toEqual({ sizeBytes: SIZE_BYTES, sha256: body.sha256 });
      expect(proxy?.seen.cuts).toBe(1);
    });
  });
}
