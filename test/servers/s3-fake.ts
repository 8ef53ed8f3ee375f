import { createHash } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";

/*
 * As much of S3 as a delivery needs, without signatures, for answers that no real server can be made to give. Everything
 * else is tested against real servers.
 */

export type FakeCall = "create" | "part" | "complete" | "abort" | "put" | "head" | "delete" | "list";

export interface FakeAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface S3Fake {
  readonly port: number;
  readonly calls: readonly FakeCall[];
  readonly objects: ReadonlyMap<string, { readonly bytes: Buffer; readonly etag: string }>;
  readonly uploads: ReadonlySet<string>;
  close(): void;
}

export interface S3FakeOptions {
  /** What is answered instead of `answer`; the store has done what was asked unless this is `before`. Undefined: `answer`. */
  instead?(call: FakeCall, answer: FakeAnswer, request: IncomingMessage): FakeAnswer | undefined;
  /** Comes before anything is done. Undefined: go on. `silence`: nothing is answered. */
  before?(call: FakeCall, request: IncomingMessage): FakeAnswer | "silence" | undefined;
  /** Default: as Amazon makes them, of MD5 sums. */
  readonly hasOpaqueTags?: boolean;
}

interface Stored {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export async function startS3Fake(options: S3FakeOptions = {}): Promise<S3Fake> {
  const objects = new Map<string, Stored>();
  const uploads = new Map<string, { metadata: Stored["metadata"]; readonly parts: Map<number, Buffer> }>();
  const calls: FakeCall[] = [];
  const tagged = (etag: string): string => (options.hasOpaqueTags === true ? "opaque" : etag);

  const perform = (call: FakeCall, url: URL, request: IncomingMessage, body: Buffer): FakeAnswer => {
    const key = decodeURIComponent(url.pathname).split("/").slice(2).join("/");
    const upload = uploads.get(url.searchParams.get("uploadId") ?? "");
    switch (call) {
      case "create":
        uploads.set("u1", { metadata: metadataOf(request), parts: new Map() });
        return ok("<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>");
      case "part":
        if (upload === undefined) return refusal(404, "NoSuchUpload");
        upload.parts.set(Number(url.searchParams.get("partNumber")), body);
        return { status: 200, headers: { etag: `"${tagged(md5(body).toString("hex"))}"` } };
      case "complete": {
        if (upload === undefined) return refusal(404, "NoSuchUpload");
        const parts = [...upload.parts].toSorted(([a], [b]) => a - b).map(([, bytes]) => bytes);
        const etag = tagged(`${md5(Buffer.concat(parts.map(md5))).toString("hex")}-${parts.length}`);
        objects.set(key, { bytes: Buffer.concat(parts), etag, metadata: upload.metadata });
        uploads.clear();
        return ok(`<CompleteMultipartUploadResult><ETag>"${etag}"</ETag></CompleteMultipartUploadResult>`);
      }
      case "abort":
        return uploads.delete("u1") ? { status: 204 } : refusal(404, "NoSuchUpload");
      case "put": {
        const etag = tagged(md5(body).toString("hex"));
        objects.set(key, { bytes: body, etag, metadata: metadataOf(request) });
        return { status: 200, headers: { etag: `"${etag}"` } };
      }
      case "delete":
        objects.delete(key);
        return { status: 204 };
      case "head": {
        const found = objects.get(key);
        if (found === undefined) return { status: 404 };
        const { bytes, etag, metadata } = found;
        return { status: 200, headers: { etag: `"${etag}"`, "content-length": `${bytes.byteLength}`, ...metadata } };
      }
      case "list":
        return ok("<ListBucketResult><Name>b</Name></ListBucketResult>");
    }
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://store");
    const call = callOf(request.method ?? "", url.searchParams);
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      calls.push(call);
      const early = options.before?.(call, request);
      if (early === "silence") return;
      const done = early ?? perform(call, url, request, Buffer.concat(chunks));
      const { status, headers, body } =
        (early === undefined ? options.instead?.(call, done, request) : undefined) ?? done;
      response.writeHead(status, headers).end(call === "head" ? "" : body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    calls,
    objects,
    get uploads() {
      return new Set(uploads.keys());
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

export function refusal(status: number, code: string): FakeAnswer {
  return { status, body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>said the store</Message></Error>` };
}

function ok(xml: string): FakeAnswer {
  return { status: 200, body: `<?xml version="1.0"?>${xml}`, headers: { "content-type": "application/xml" } };
}

function callOf(method: string, query: URLSearchParams): FakeCall {
  const isOfUpload = query.has("uploadId");
  if (method === "POST") return isOfUpload ? "complete" : "create";
  if (method === "PUT") return isOfUpload ? "part" : "put";
  if (method === "DELETE") return isOfUpload ? "abort" : "delete";
  return method === "HEAD" ? "head" : "list";
}

function metadataOf(request: IncomingMessage): Record<string, string> {
  const entries = Object.entries(request.headers).filter(([name]) => name.startsWith("x-amz-meta-"));
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

function md5(bytes: Buffer): Buffer {
  return createHash("md5").update(bytes).digest();
}
