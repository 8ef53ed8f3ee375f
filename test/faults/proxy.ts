import { connect, createServer, type Server, type Socket } from "node:net";
import { createGate, type Direction, type Fault, type Gate } from "./fault.ts";
import { createRate, type Rate } from "./rate.ts";

export interface FaultProxyOptions {
  /** The real server. */
  readonly port: number;
  readonly host?: string;
  readonly fault?: Fault;
}

/** A TCP proxy on 127.0.0.1 in front of a real server, which breaks what passes through it as it is told. */
export interface FaultProxy {
  readonly port: number;
  /** From now on; counts of bytes for `afterBytes` begin anew. Open connections stay, but for `refuse`. */
  setFault(fault: Fault): Promise<void>;
  /** Since the proxy was started: what passed, and how often a fault struck. */
  readonly seen: {
    readonly connections: number;
    readonly bytesUp: number;
    readonly bytesDown: number;
    readonly cuts: number;
    readonly open: number;
  };
  close(): Promise<void>;
}

/** Bytes that wait for a slow reader or for the latency to pass, per connection and direction. */
const MOST_PENDING_BYTES = 8 * 1024 * 1024;

/** How long a server may go on reading what came before a cut. */
const LINGER_MS = 2_000;

export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const host = options.host ?? "127.0.0.1";
  const pairs = new Set<Pair>();
  const counts = { connections: 0, bytesUp: 0, bytesDown: 0, cuts: 0 };
  let current = stateOf(options.fault ?? { kind: "none" });

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    counts.connections += 1;
    const upstream = connect({ host, port: options.port, allowHalfOpen: true, noDelay: true });
    const pair: Pair = { client, upstream };
    pairs.add(pair);
    const onPassed = (direction: Direction, bytes: number): void => {
      if (direction === "up") counts.bytesUp += bytes;
      else counts.bytesDown += bytes;
    };
    const onCut = (): void => {
      counts.cuts += 1;
    };
    for (const socket of [client, upstream]) {
      // A reset is what this proxy is for; the other side learns of it below.
      socket.on("error", () => undefined);
      socket.on("close", () => {
        pairs.delete(pair);
        if (socket === client) endSoon(upstream);
        else client.destroySoon();
      });
    }
    const shared = { state: () => current, pair, onPassed, onCut };
    void forward({ ...shared, from: client, to: upstream, direction: "up" });
    void forward({ ...shared, from: upstream, to: client, direction: "down" });
  });
  const port = await listen(server, 0);
  if (options.fault?.kind === "refuse") await stopListening(server);

  return {
    port,
    async setFault(fault) {
      current = stateOf(fault);
      if (fault.kind === "refuse") {
        for (const pair of pairs) breakPair(pair);
        await stopListening(server);
      } else if (!server.listening) await listen(server, port);
    },
    get seen() {
      return { ...counts, open: pairs.size };
    },
    async close() {
      for (const { client, upstream } of pairs) {
        client.destroy();
        upstream.destroy();
      }
      await stopListening(server);
    },
  };
}

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
}

interface State {
  readonly gate: Gate;
  readonly rate: Readonly<Record<Direction, Rate>> | undefined;
  readonly latencyMs: number;
}

function stateOf(fault: Fault): State {
  const rate = (): Rate => createRate(fault.kind === "rate" ? fault.bytesPerSecond : 0);
  return {
    gate: createGate(fault),
    rate: fault.kind === "rate" ? { up: rate(), down: rate() } : undefined,
    latencyMs: fault.kind === "latency" ? fault.eachWayMs : 0,
  };
}

interface Way {
  readonly from: Socket;
  readonly to: Socket;
  readonly direction: Direction;
  readonly pair: Pair;
  state(): State;
  onPassed(direction: Direction, bytes: number): void;
  onCut(): void;
}

async function forward(way: Way): Promise<void> {
  const line = createLine(way.to);
  let ownBytes = 0;
  try {
    for await (const chunk of way.from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      const { gate, rate, latencyMs } = way.state();
      const verdict = gate.judge(way.direction, chunk.byteLength, ownBytes);
      if (verdict.kind === "garbage") {
        way.onCut();
        way.pair.client.end(verdict.text);
        return;
      }
      const passing = verdict.kind === "pass" ? chunk : chunk.subarray(0, verdict.passBytes);
      for await (const piece of rate?.[way.direction].paced(passing) ?? [passing]) await line.send(piece, latencyMs);
      ownBytes += passing.byteLength;
      way.onPassed(way.direction, passing.byteLength);
      if (verdict.kind === "cut") {
        way.onCut();
        await line.sent();
        breakPair(way.pair);
        return;
      }
      if (verdict.kind === "stall") {
        way.onCut();
        return;
      }
    }
    await line.sent();
    if (!way.state().gate.isStalled()) way.to.end();
  } catch {
    // One side is gone: its `close` ends the other.
  }
}

/** The client sees a reset; the server an end in the middle, with all bytes before it. */
function breakPair({ client, upstream }: Pair): void {
  client.resetAndDestroy();
  endSoon(upstream);
}

/** Not at once: with answers unread, the kernel would reset the connection and take back what the server has not read yet. */
function endSoon(upstream: Socket): void {
  upstream.end();
  setTimeout(() => upstream.destroy(), LINGER_MS).unref();
}

interface Line {
  /** Resolves when there is room for more. */
  send(bytes: Buffer, delayMs: number): Promise<void>;
  /** Resolves when everything is on its way. */
  sent(): Promise<void>;
}

function createLine(to: Socket): Line {
  let pendingBytes = 0;
  let wake = Promise.withResolvers<void>();
  const until = async (isReached: () => boolean): Promise<void> => {
    while (!isReached() && !to.destroyed) await wake.promise;
  };
  const changed = (): void => {
    wake.resolve();
    wake = Promise.withResolvers();
  };
  to.on("close", changed);
  return {
    async send(bytes, delayMs) {
      if (bytes.byteLength === 0) return;
      pendingBytes += bytes.byteLength;
      const write = (): void => {
        to.write(bytes, () => {
          pendingBytes -= bytes.byteLength;
          changed();
        });
      };
      if (delayMs > 0) setTimeout(write, delayMs);
      else write();
      await until(() => pendingBytes < MOST_PENDING_BYTES);
    },
    sent: () => until(() => pendingBytes === 0),
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      const address = server.address();
      if (address === null || typeof address === "string") reject(new Error("no port"));
      else resolve(address.port);
    });
  });
}

async function stopListening(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = Promise.withResolvers<void>();
  // Waits for connections, too; those are ended by the caller.
  server.close(() => closed.resolve());
  await closed.promise;
}
