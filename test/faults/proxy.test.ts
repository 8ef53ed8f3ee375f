import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { sleep } from "../../src/lib/clock.ts";
import type { Fault } from "./fault.ts";
import { type FaultProxy, startFaultProxy } from "./proxy.ts";

/** Sends back what it gets, and remembers how much that was. */
interface Echo {
  readonly port: number;
  readonly gotBytes: () => number;
  readonly connections: () => number;
  close(): void;
}

async function startEcho(): Promise<Echo> {
  let gotBytes = 0;
  let connections = 0;
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    connections += 1;
    open.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      gotBytes += chunk.byteLength;
      socket.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    gotBytes: () => gotBytes,
    connections: () => connections,
    close() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

interface Talk {
  readonly got: Buffer;
  /** `open` where nothing ended within the time. */
  readonly outcome: "ended" | "reset" | "refused" | "open" | "whole";
  readonly tookMs: number;
}

/** Sends bytes and waits until as many came back, the connection ended, or the time is over. */
async function talk(port: number, bytes: Buffer, withinMs = 1_000): Promise<Talk> {
  const startedAt = performance.now();
  const chunks: Buffer[] = [];
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  const outcome = await new Promise<Talk["outcome"]>((resolve) => {
    setTimeout(() => resolve("open"), withinMs);
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (Buffer.concat(chunks).byteLength >= bytes.byteLength) resolve("whole");
    });
    socket.on("end", () => resolve("ended"));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED" ? "refused" : "reset"));
    socket.write(bytes);
  });
  socket.destroy();
  return { got: Buffer.concat(chunks), outcome, tookMs: performance.now() - startedAt };
}

describe("a proxy that breaks what passes through it", () => {
  let proxy: FaultProxy;
  let echo: Echo;
  const start = async (fault: Fault): Promise<number> => {
    echo = await startEcho();
    proxy = await startFaultProxy({ port: echo.port, fault });
    return proxy.port;
  };
  afterEach(async () => {
    await proxy.close();
    echo.close();
  });

  it("passes everything without a fault, and counts it", async () => {
    const port = await start({ kind: "none" });
    const bytes = Buffer.alloc(2_000_000, "x");
    const { got, outcome } = await talk(port, bytes, 10_000);
    expect(outcome).toBe("whole");
    expect(got.equals(bytes)).toBe(true);
    expect(proxy.seen).toMatchObject({ connections: 1, bytesUp: 2_000_000, bytesDown: 2_000_000, cuts: 0 });
  });

  it("cuts once, at the byte that was asked for, over all connections", async () => {
    const port = await start({ kind: "cut-once", afterBytes: 150_000 });
    expect((await talk(port, Buffer.alloc(100_000))).outcome).toBe("whole");
    expect((await talk(port, Buffer.alloc(100_000))).outcome).toBe("reset");
    await expect.poll(() => echo.gotBytes()).toBe(150_000);
    expect((await talk(port, Buffer.alloc(100_000))).outcome).toBe("whole");
    expect(proxy.seen.cuts).toBe(1);
  });

  it("cuts always, each connection at its own byte, also on the way back", async () => {
    const port = await start({ kind: "cut-always", afterBytes: 70_000, direction: "down" });
    for (let time = 1; time <= 2; time += 1) expect((await talk(port, Buffer.alloc(100_000))).outcome).toBe("reset");
    expect((await talk(port, Buffer.alloc(60_000))).outcome).toBe("whole");
    expect(proxy.seen.cuts).toBe(2);
    expect(proxy.seen.bytesDown).toBe(200_000);
  });

  it("stalls: nothing flows on old and new connections, and all stay open", async () => {
    const port = await start({ kind: "stall", afterBytes: 50_000 });
    const { outcome, got } = await talk(port, Buffer.alloc(100_000), 300);
    expect(outcome).toBe("open");
    expect(got.byteLength).toBeLessThanOrEqual(50_000);
    expect(echo.gotBytes()).toBe(50_000);
    expect((await talk(port, Buffer.alloc(10), 200)).outcome).toBe("open");
    expect(echo.gotBytes()).toBe(50_000);
    await proxy.setFault({ kind: "none" });
    expect((await talk(port, Buffer.alloc(10))).outcome).toBe("whole");
  });

  it("keeps a rate", async () => {
    const port = await start({ kind: "rate", bytesPerSecond: 1_000_000 });
    const { outcome, tookMs } = await talk(port, Buffer.alloc(500_000), 10_000);
    expect(outcome).toBe("whole");
    expect(tookMs).toBeGreaterThan(450);
  });

  it("adds latency in both directions without limiting the rate", async () => {
    const port = await start({ kind: "latency", eachWayMs: 100 });
    const small = await talk(port, Buffer.alloc(10), 5_000);
    expect(small.outcome).toBe("whole");
    expect(small.tookMs).toBeGreaterThan(195);
    const large = Buffer.alloc(3_000_000, "y");
    const { got, outcome } = await talk(port, large, 10_000);
    expect(outcome).toBe("whole");
    expect(got.equals(large)).toBe(true);
  });

  it("answers garbage, of which the server learns nothing", async () => {
    const port = await start({ kind: "garbage" });
    const { outcome, got } = await talk(port, Buffer.alloc(100_000));
    expect(outcome).not.toBe("whole");
    expect(got.toString()).toContain("neither a greeting nor an answer");
    expect(echo.gotBytes()).toBe(0);
  });

  it("refuses connections, breaks the open ones, and comes back on the same port", async () => {
    const port = await start({ kind: "none" });
    const waiting = connect({ host: "127.0.0.1", port });
    const broken = new Promise((resolve) => waiting.on("error", resolve));
    while (proxy.seen.connections === 0) await sleep(10);
    await proxy.setFault({ kind: "refuse" });
    expect(await broken).toHaveProperty("code", "ECONNRESET");
    expect((await talk(port, Buffer.alloc(10))).outcome).toBe("refused");
    await proxy.setFault({ kind: "none" });
    expect((await talk(port, Buffer.alloc(10))).outcome).toBe("whole");
  });

  it("hands a half-closed connection on", async () => {
    const port = await start({ kind: "none" });
    const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    socket.end("last words");
    let got = "";
    for await (const chunk of socket) got += String(chunk);
    expect(got).toBe("last words");
  });
});
