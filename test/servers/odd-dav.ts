import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

/** A store in memory that keeps only sizes, behind whatever oddity a test puts in front. */
export class OddDavServer {
  readonly files = new Map<string, number>();
  readonly log: string[] = [];
  oddity: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  /** Adjusts what is stored of a body. */
  kept: (request: IncomingMessage, bytes: number) => number = (_request, bytes) => bytes;
  quota: number | undefined;
  hrefPrefix = "";
  readonly server: Server;

  constructor() {
    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      this.log.push(`${request.method ?? ""} ${request.url ?? ""}`);
      if (!this.oddity(request, response)) this.serve(request, response).catch(() => response.destroy());
    };
    this.server = createServer(handle);
    this.server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
      handle(request, response);
      if (!response.headersSent) response.writeContinue();
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    const address = this.server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let bytes = 0;
    for await (const chunk of request) bytes += (chunk as Buffer).byteLength;
    const path = decodeURIComponent(request.url ?? "");
    if (request.method === "PUT") {
      this.files.set(path, this.kept(request, bytes));
      response.writeHead(201).end();
    } else if (request.method === "MOVE") {
      const target = decodeURIComponent(String(request.headers["destination"]).replace(/^https?:\/\/[^/]*/, ""));
      this.files.set(target, this.files.get(path) ?? -1);
      this.files.delete(path);
      response.writeHead(201).end();
    } else if (request.method === "DELETE") {
      response.writeHead(this.files.delete(path) ? 204 : 404).end();
    } else if (request.method === "MKCOL") response.writeHead(405).end();
    else if (request.method === "PROPFIND") this.propfind(path, request.headers["depth"] === "1", response);
    else response.writeHead(404).end();
  }

  private propfind(path: string, isDeep: boolean, response: ServerResponse): void {
    const size = this.files.get(path);
    if (size === undefined && !path.endsWith("/")) {
      response.writeHead(404).end();
      return;
    }
    const children = isDeep
      ? [...this.files].filter(([name]) => name.startsWith(path) && !name.slice(path.length).includes("/"))
      : [];
    const quota = this.quota === undefined ? "" : `<quota-available-bytes>${this.quota}</quota-available-bytes>`;
    const entry = (name: string, props: string): string =>
      `<response><href>${this.hrefPrefix}${encodeURI(name)}</href><propstat><prop>${props}</prop><status>HTTP/1.1 200 OK</status></propstat></response>`;
    const self =
      size === undefined
        ? `<resourcetype><collection/></resourcetype>${quota}`
        : `<getcontentlength>${size}</getcontentlength>`;
    response
      .writeHead(207, { "Content-Type": "application/xml" })
      .end(
        `<multistatus xmlns="DAV:">${[entry(path, self), ...children.map(([name, bytes]) => entry(name, `<getcontentlength>${bytes}</getcontentlength>`))].join("")}</multistatus>`,
      );
  }
}
