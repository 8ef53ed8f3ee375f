import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { Agent } from "node:http";

/** A burst of bad answers in front of a server that speaks plain HTTP. */
export interface Burst {
  readonly status: number;
  /** How many matching requests get it; the rest pass. */
  readonly times: number;
  /** Only requests of these methods. Absent: all. */
  readonly methods?: readonly string[];
  /** Only requests whose path and query match. Absent: all. */
  readonly path?: RegExp;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Seconds, as `Retry-After`. */
  readonly retryAfter?: number;
  /**
   * `at-once`: before the body is read, as a server that is overloaded does. `after-body`: the body is read and thrown away.
   * `after-server`: the server did it all, only its answer is lost. Default: `after-body`.
   */
  readonly when?: "at-once" | "after-body" | "after-server";
}

export interface HttpFaults {
  readonly port: number;
  setBursts(bursts: readonly Burst[]): void;
  /** Method, path and status of every request, in order of their answers; `fault` where the answer was not the server's. */
  readonly requests: readonly { readonly line: string; readonly status: number; readonly fault: boolean }[];
  close(): Promise<void>;
}

/** A reverse proxy on 127.0.0.1. Headers, `Expect: 100-continue` and bodies pass as they come, so signatures hold. */
export async function startHttpFaults(port: number, initial: readonly Burst[] = []): Promise<HttpFaults> {
  const agent = new Agent({ keepAlive: true });
  const requests: { line: string; status: number; fault: boolean }[] = [];
  let bursts = initial.map((burst) => ({ ...burst, left: burst.times }));

  const handle = async (incoming: IncomingMessage, answer: ServerResponse, isWaiting: boolean): Promise<void> => {
    const line = `${incoming.method ?? ""} ${incoming.url ?? ""}`;
    const burst = bursts.find((entry) => entry.left > 0 && matches(entry, incoming));
    if (burst !== undefined) burst.left -= 1;
    const note = (status: number, fault: boolean): void => void requests.push({ line, status, fault });
    if (burst === undefined || burst.when === "after-server") {
      const status = await passOn({ incoming, answer, isWaiting, port, agent, isAnswerLost: burst !== undefined });
      if (burst === undefined) return note(status, false);
    } else if (burst.when !== "at-once") {
      if (isWaiting) answer.writeContinue();
      for await (const chunk of incoming) void chunk;
    }
    note(burst.status, true);
    answer.writeHead(burst.status, {
      ...(burst.retryAfter === undefined ? {} : { "Retry-After": String(burst.retryAfter) }),
      ...(burst.when === "at-once" ? { Connection: "close" } : {}),
      ...burst.headers,
    });
    answer.end(burst.body ?? "");
  };
  const onRequest = (isWaiting: boolean) => (incoming: IncomingMessage, answer: ServerResponse) => {
    // A client or server that goes away in the middle.
    incoming.on("error", () => undefined);
    handle(incoming, answer, isWaiting).catch(() => answer.destroy());
  };
  const server = createServer({ requestTimeout: 0 }, onRequest(false));
  server.on("checkContinue", onRequest(true));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    requests,
    setBursts(next) {
      bursts = next.map((burst) => ({ ...burst, left: burst.times }));
    },
    async close() {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function matches(burst: Burst, incoming: IncomingMessage): boolean {
  return (
    (burst.methods === undefined || burst.methods.includes(incoming.method ?? "")) &&
    (burst.path === undefined || burst.path.test(incoming.url ?? ""))
  );
}

interface Passing {
  readonly incoming: IncomingMessage;
  readonly answer: ServerResponse;
  /** The client waits for `100 Continue`. */
  readonly isWaiting: boolean;
  readonly port: number;
  readonly agent: Agent;
  readonly isAnswerLost: boolean;
}

/** Gives the server's status. */
function passOn({ incoming, answer, isWaiting, port, agent, isAnswerLost }: Passing): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: "127.0.0.1",
      port,
      agent,
      method: incoming.method,
      path: incoming.url,
      headers: incoming.rawHeaders,
      setDefaultHeaders: false,
    });
    outgoing.on("continue", () => answer.writeContinue());
    outgoing.on("error", reject);
    incoming.on("close", () => {
      if (!incoming.complete) outgoing.destroy();
    });
    answer.on("close", () => {
      if (!answer.writableFinished) outgoing.destroy();
    });
    outgoing.on("response", (response) => {
      const status = response.statusCode ?? 502;
      if (isAnswerLost) response.resume().on("end", () => resolve(status));
      else {
        answer.writeHead(status, response.statusMessage, response.rawHeaders);
        response.pipe(answer);
        response.on("error", () => answer.destroy());
        answer.on("finish", () => resolve(status));
      }
    });
    if (isWaiting) outgoing.flushHeaders();
    incoming.pipe(outgoing);
  });
}
