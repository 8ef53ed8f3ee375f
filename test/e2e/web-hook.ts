import { createServer, type Server } from "node:http";

export interface Received {
  readonly path: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A service on 127.0.0.1 that takes what it is sent, and answers as it is told. */
export class WebHook {
  readonly received: Received[] = [];
  /** Status of the next answers; 200 when it is empty. */
  readonly answers: number[] = [];
  readonly #server: Server;
  port = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const status = this.answers.shift() ?? 200;
        const body = Buffer.concat(chunks).toString("utf8");
        if (status < 300) this.received.push({ path: request.url ?? "", body, headers: request.headers });
        response.writeHead(status).end(status < 300 ? "ok" : "not now");
      });
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
  }

  /** A notification URL that leads here. */
  url(path = "hook"): string {
    return `generic://127.0.0.1:${this.port}/${path}?disabletls=yes&template=json`;
  }

  /** Bodies sent to a path, as the generic service writes JSON. */
  messages(path = "hook"): { title: string; message: string }[] {
    return this.received
      .filter((one) => one.path.startsWith(`/${path}`))
      .map((one) => JSON.parse(one.body) as { title: string; message: string });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
