import { createHash } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";

/*
 * As much of Azure Blob Storage as a delivery needs, without signatures, for answers that Azurite can't be made to give.
 * Everything else is tested against Azurite.
 */

export type FakeCall = "block" | "commit" | "put" | "head" | "delete";

export interface FakeAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface AzureFake {
  readonly port: number;
  readonly calls: readonly FakeCall[];
  readonly blobs: ReadonlyMap<string, Buffer>;
  close(): void;
}

export interface AzureFakeOptions {
  /** Answered although the service has done what was asked. Undefined: its own answer. */
  instead?(call: FakeCall): FakeAnswer | undefined;
  /** Comes before anything is done. Undefined: go on. `silence`: nothing is answered. */
  before?(call: FakeCall, request: IncomingMessage): FakeAnswer | "silence" | undefined;
}

export async function startAzureFake(options: AzureFakeOptions = {}): Promise<AzureFake> {
  const blobs = new Map<string, Buffer>();
  const sums = new Map<string, string>();
  const blocks = new Map<string, Buffer>();
  const calls: FakeCall[] = [];

  const perform = (call: FakeCall, url: URL, body: Buffer, sum: string): FakeAnswer => {
    const name = decodeURIComponent(url.pathname).split("/").slice(3).join("/");
    switch (call) {
      case "block":
        blocks.set(url.searchParams.get("blockid") ?? "", body);
        return { status: 201, headers: { "content-md5": md5(body) } };
      case "commit": {
        const ids = [...body.toString().matchAll(/<Latest>([^<]*)/g)].map(([, id]) => id ?? "");
        const found = ids.map((id) => blocks.get(id)).filter((block) => block !== undefined);
        if (found.length < ids.length) return refusal(400, "InvalidBlockList");
        blobs.set(name, Buffer.concat(found));
        sums.set(name, sum);
        blocks.clear();
        return { status: 201 };
      }
      case "put":
        blobs.set(name, body);
        sums.set(name, sum);
        return { status: 201, headers: { "content-md5": md5(body) } };
      case "delete":
        return blobs.delete(name) ? { status: 202 } : refusal(404, "BlobNotFound");
      case "head": {
        const found = blobs.get(name);
        if (found === undefined) return refusal(404, "BlobNotFound");
        const headers = { "content-length": `${found.byteLength}`, "content-md5": sums.get(name) ?? "" };
        return { status: 200, headers: { ...headers, "last-modified": new Date().toUTCString() } };
      }
    }
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://service");
    const call = callOf(request.method ?? "", url.searchParams.get("comp"));
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      calls.push(call);
      const sum = String(request.headers["x-ms-blob-content-md5"] ?? "");
      const early = options.before?.(call, request);
      if (early === "silence") return;
      const done = early ?? perform(call, url, Buffer.concat(chunks), sum);
      const { status, headers, body } = (early === undefined ? options.instead?.(call) : undefined) ?? done;
      response.writeHead(status, headers).end(call === "head" ? "" : body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    calls,
    blobs,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** `more`: elements beside the message. */
export function refusal(status: number, code: string, more = ""): FakeAnswer {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>said the service</Message>${more}</Error>`;
  return { status, headers: { "x-ms-error-code": code, "content-type": "application/xml" }, body };
}

function callOf(method: string, part: string | null): FakeCall {
  if (method === "PUT") return part === "block" ? "block" : part === "blocklist" ? "commit" : "put";
  return method === "HEAD" ? "head" : "delete";
}

function md5(bytes: Buffer): string {
  return createHash("md5").update(bytes).digest("base64");
}
