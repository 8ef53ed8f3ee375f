import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Destination } from "../../src/contracts/destination.ts";
import { isTransient } from "../../src/destinations/errors.ts";
import { sleep } from "../../src/lib/clock.ts";
import { DestinationError } from "../../src/lib/errors.ts";
import { type GeneratedSource, generatedSource } from "../conformance/generated-source.ts";
import { asArchive } from "../conformance/harness.ts";
import type { Fault } from "./fault.ts";
import { type Burst, type HttpFaults, startHttpFaults } from "./http-faults.ts";
import { type FaultKind, type FaultServer, openFrom } from "./kinds.ts";
import { type FaultProxy, startFaultProxy } from "./proxy.ts";

export interface FaultCase {
  readonly name: string;
  readonly fault?: Fault;
  /** Bad answers, instead of a fault of the connection. */
  readonly bursts?: readonly Burst[];
  readonly sizeBytes: number;
  /**
   * `stored`: the fault passes or can be borne. `nothing`: it can't. `whole-or-nothing`: that depends on how a kind cuts an
   * upload into pieces. A kind that can't take up what was cut may end with nothing where its source can't be read again.
   */
  readonly outcome: "stored" | "nothing" | "whole-or-nothing";
  /** The documented bound of one delivery, on a slow machine. */
  readonly withinMs: number;
}

/** How an archive waits: on a disk, where it can be read again, or in a window that only moves on. */
type Staging = "disk" | "memory";

const WINDOW_BYTES = 64 * 1024 * 1024;
/** As the delivery does it: again from the start, where the destination thinks that may help. */
const DELIVERY_ATTEMPTS = 4;

/** Every case of a table against one kind, with both kinds of staging, side by side. */
export function testFaults(kind: FaultKind, cases: readonly FaultCase[]): void {
  const exceptions = kind.exceptions ?? {};
  describe.concurrent(`faults: ${kind.label}`, () => {
    let server: FaultServer;
    let opened = 0;
    beforeAll(async () => {
      server = await kind.start();
    });
    afterAll(() => server.stop());
    for (const entry of cases) {
      for (const staging of ["disk", "memory"] as const) {
        const name = `${entry.name} (${staging})`;
        const reason =
          exceptions[entry.name] ?? (entry.bursts !== undefined && !kind.speaksHttp ? "no HTTP" : undefined);
        // oxlint-disable vitest/no-conditional-tests, vitest/valid-title, vitest/expect-expect, vitest/no-disabled-tests
        if (reason !== undefined) it.skip(`${name} (not here: ${reason})`, () => undefined);
        else
          it(name, { timeout: entry.withinMs + 60_000 }, async () => {
            opened += 1;
            await runCase(kind, server, entry, staging, `case-${opened}`);
          });
      }
    }
  });
}

async function runCase(
  kind: FaultKind,
  server: FaultServer,
  entry: FaultCase,
  staging: Staging,
  prefix: string,
): Promise<void> {
  const broken = await startBroken(server.port, entry);
  const destination = await openFrom(server.settings(broken.port, prefix));
  try {
    // An archive of a fixed name: what was there must stay until the new one is whole.
    const before = generatedSource(300_000, { seed: 7 });
    if (staging === "disk") await storeDirectly(server, prefix, before);
    const body = bodyOf(entry.sizeBytes, staging);
    const startedAt = performance.now();
    const error = await deliver(destination, body, staging);
    const tookMs = performance.now() - startedAt;
    expect(broken.struck()).toBe(true);
    const found = await server.look(prefix);
    const whole = [["site.tar", body.sha256]];
    const untouched = staging === "disk" ? [["site.tar", before.sha256]] : [];
    // Where only the last answer is lost, a failed delivery may have stored everything: whole, or nothing of it.
    expect(error === undefined ? [whole] : [untouched, whole]).toContainEqual([...found]);
    if (error !== undefined) expect(error).toBeInstanceOf(DestinationError);
    const mayFail = entry.outcome !== "stored" || (staging === "memory" && !kind.resumes);
    if (!mayFail) expect(error).toBeUndefined();
    if (entry.outcome === "nothing") expect(error).toBeDefined();
    expect(tookMs).toBeLessThan(entry.withinMs);
    if (error !== undefined) await expectRecovery(destination, server, broken, prefix);
  } finally {
    await destination.close();
    await broken.close();
  }
}

/**
 * Once the fault is gone the same destination works. What could not be cleared away during the fault stays for a later
 * run: this process is its living writer (`kill-uploads.ts` shows that it goes).
 */
async function expectRecovery(
  destination: Destination,
  server: FaultServer,
  broken: Broken,
  prefix: string,
): Promise<void> {
  await broken.heal();
  const again = bodyOf(1_000_000, "disk");
  expect(await deliver(destination, again, "disk")).toBeUndefined();
  expect([...(await server.look(prefix))]).toEqual([["site.tar", again.sha256]]);
}

function bodyOf(sizeBytes: number, staging: Staging): GeneratedSource {
  return generatedSource(sizeBytes, staging === "memory" ? { windowBytes: WINDOW_BYTES } : {});
}

/** Past all faults. */
export async function storeDirectly(server: FaultServer, prefix: string, body: GeneratedSource): Promise<void> {
  const direct = await openFrom(server.settings(server.port, prefix));
  await direct.put("site.tar", body, asArchive());
  await direct.close();
}

/** What becomes of one delivery: nothing to say, or why it failed. */
export async function deliver(destination: Destination, body: GeneratedSource, staging: Staging): Promise<unknown> {
  const options = { ...asArchive(), signal: AbortSignal.timeout(300_000) };
  for (let attempt = 1; ; attempt += 1) {
    try {
      await destination.put("site.tar", body, options);
      return undefined;
    } catch (error) {
      const canRepeat = staging === "disk" && attempt < DELIVERY_ATTEMPTS && isTransient(error);
      if (!canRepeat) return error;
      await sleep(200 * attempt);
    }
  }
}

interface Broken {
  readonly port: number;
  /** A case whose fault never came would prove nothing. */
  struck(): boolean;
  heal(): Promise<void>;
  close(): Promise<void>;
}

async function startBroken(port: number, { fault, bursts }: FaultCase): Promise<Broken> {
  if (bursts !== undefined) {
    const faults: HttpFaults = await startHttpFaults(port, bursts);
    return {
      port: faults.port,
      struck: () => faults.requests.some((request) => request.fault),
      heal: async () => faults.setBursts([]),
      close: () => faults.close(),
    };
  }
  const proxy: FaultProxy = await startFaultProxy({ port, fault: fault ?? { kind: "none" } });
  const struck = (): boolean => {
    const { cuts, connections } = proxy.seen;
    // Slow ones and refusals show in the time and in the outcome.
    return fault !== undefined && "afterBytes" in fault && fault.afterBytes > 0
      ? cuts > 0
      : connections > 0 || fault?.kind === "refuse";
  };
  return { port: proxy.port, struck, heal: () => proxy.setFault({ kind: "none" }), close: () => proxy.close() };
}
