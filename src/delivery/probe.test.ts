import { createServer } from "node:net";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, it } from "vitest";
import { OWNER } from "../../test/conformance/harness.ts";
import type { Destination } from "../contracts/destination.ts";
import { createLocalDestination } from "../destinations/local/local.ts";
import { DestinationError } from "../lib/errors.ts";
import { probeDestination, type ProbeStep } from "./probe.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lifeboat-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const never = new Promise<never>(() => undefined);
const denied = (): Promise<never> =>
  Promise.reject(new DestinationError("denied", "access denied", { hint: "check X" }));

function probe(more: Partial<Destination> = {}, stepMs = 5_000): Promise<readonly ProbeStep[]> {
  const { folder: _, ...inner } = createLocalDestination({ folder, label: "store" });
  const destination: Destination = { ...inner, kind: "ssh", addressSetting: "SSH_HOST_NAME", ...more };
  return probeDestination(destination, { owner: OWNER, signal: new AbortController().signal, stepMs });
}

const summary = (steps: readonly ProbeStep[]): string =>
  steps.map(({ step, outcome }) => `${step} ${outcome}`).join(", ");
const REST = "authenticate ok, write ok, read ok, list ok, remove ok";

it("goes the whole way, and leaves nothing behind", async () => {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const steps = await probe({ endpoint: { host: "localhost", port } });
  server.close();
  expect(summary(steps)).toBe(`resolve ok, connect ok, ${REST}`);
  expect(steps[0]?.detail).toContain("127.0.0.1");
  expect(steps.every(({ durationMs }) => durationMs >= 0)).toBe(true);
  expect(steps.find(({ step }) => step === "list")?.detail).toBe("0 archives");
  expect(readdirSync(join(folder, ".lifeboat"))).toEqual([]);
  expect(summary(await probe())).toBe(REST);
});

it("says where it can't go on, with the setting to look at", async () => {
  const name = await probe({ endpoint: { host: "no-such-host.invalid", port: 22 } });
  expect(name).toMatchObject([
    {
      step: "resolve",
      outcome: "failed",
      detail: expect.stringContaining("no-such-host.invalid"),
      hint: "check SSH_HOST_NAME",
    },
  ]);
  const version6 = await probe({ endpoint: { host: "[::1]", port: 1 } });
  expect(version6).toMatchObject([{ step: "connect", outcome: "failed", detail: expect.stringContaining("::1:1") }]);
  const port = await probe({ endpoint: { host: "127.0.0.1", port: 1 } });
  expect(port).toMatchObject([
    {
      step: "connect",
      outcome: "failed",
      detail: "can't connect to 127.0.0.1:1: connection refused",
      hint: "check SSH_HOST_NAME",
    },
  ]);
  expect(await probe({ connect: denied })).toMatchObject([
    { step: "authenticate", outcome: "failed", detail: "access denied", hint: "check X" },
  ]);
  expect(summary(await probe({ put: denied }))).toBe("authenticate ok, write failed");
});

it("takes a denied read, list or remove for a note", async () => {
  const list = (): AsyncIterable<never> => ({ [Symbol.asyncIterator]: () => ({ next: denied }) });
  const steps = await probe({ get: denied, list, remove: denied });
  expect(summary(steps)).toBe("authenticate ok, write ok, read note, list note, remove note");
  expect(steps.map(({ hint }) => hint).join("; ")).toContain("restoring and proving need other credentials");
  const broken = await probe({ get: () => Promise.reject(new DestinationError("unavailable", "reset")) });
  expect(summary(broken)).toBe("authenticate ok, write ok, read failed, list ok, remove ok");
});

it("notices a store that gives back something else, or hangs", async () => {
  const other = await probe({ get: () => Promise.resolve(Readable.from([Buffer.from("x")])) });
  expect(other[2]).toMatchObject({ step: "read", outcome: "failed", detail: expect.stringContaining("1 of 4096") });
  const began = performance.now();
  expect(await probe({ connect: () => never }, 100)).toMatchObject([
    { step: "authenticate", outcome: "failed", detail: "no answer for 100ms" },
  ]);
  expect(performance.now() - began).toBeLessThan(2_000);
});
