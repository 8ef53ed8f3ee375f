import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { Agent } from "undici";
import type { Connections } from "../../src/notifications/send/proxies.ts";

/** A request as it came over the wire. */
export interface Received {
  readonly method: string;
  /** With the scheme and host that the service asked for. */
  readonly url: string;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Wait before answering; `Infinity` never answers. */
  readonly afterMs?: number;
  /** Cut the connection instead. */
  readonly cut?: boolean;
  /** Cut the connection within the answer's body. */
  readonly breaksOff?: boolean;
}

/** A local server that every request reaches, whatever host it is for, in plain HTTP. */
export interface Wire {
  readonly received: Received[];
  readonly connections: Connections;
  close(): Promise<void>;
}

export type Answering = (received: Received, index: number) => Reply;

export async function openWire(answer: Answering): Promise<Wire> {
  const received: Received[] = [];
  const origins = new Map<number, string>();
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const origin = origins.get(request.socket.remotePort ?? 0) ?? "";
      const one = { method: request.method ?? "", url: `${origin}${request.url ?? ""}`, headers: flat(request), body };
      received.push(one);
      const reply = answer(one, received.length - 1);
      if (reply.cut === true) {
        request.socket.destroy();
        return;
      }
      const write = (): void => {
        if (reply.breaksOff === true) {
          response.writeHead(reply.status, { ...reply.headers, "content-length": 1000 });
          response.write(reply.body ?? "", () => request.socket.destroy());
          return;
        }
        response.writeHead(reply.status, reply.headers);
        response.end(reply.body ?? "");
      };
      if (reply.afterMs === undefined) write();
      else if (Number.isFinite(reply.afterMs)) setTimeout(write, reply.afterMs);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const port = (server.address() as AddressInfo).port;
  const agent = new Agent({
    connect(options, callback) {
      const socket: Socket = connect(port, "127.0.0.1");
      socket.once("connect", () => {
        const { protocol, host } = options as unknown as { protocol: string; host: string };
        origins.set(socket.localPort ?? 0, `${protocol}//${host}`);
        callback(null, socket);
      });
      socket.once("error", (error) => callback(error, null));
    },
  });
  return {
    received,
    connections: { for: () => agent, close: async () => undefined },
    close: () => close(server, agent),
  };
}

async function close(server: Server, agent: Agent): Promise<void> {
  await agent.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** Header values are bytes; read as UTF-8, as the services do. */
function flat(request: IncomingMessage): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    out[name] = Buffer.from(String(value), "latin1").toString("utf8");
  }
  return out;
}
