import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { generatedSource } from "../../../test/conformance/generated-source.ts";
import { asArchive, failureOf, listAll, readAll } from "../../../test/conformance/harness.ts";
import { sampleBytes } from "../../../test/conformance/sources.ts";
import type { Destination } from "../../contracts/destination.ts";
import { DestinationError } from "../../lib/errors.ts";
import { bufferSource } from "../buffer-source.ts";
import { createWebdavDestination } from "./webdav.ts";

/** A store in memory that keeps only sizes, behind whatever oddity a test puts in front. */
class OddServer {
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

let odd: OddServer;
let destination: Destination;
afterEach(async () => {
  await destination.close();
  odd.server.closeAllConnections();
  odd.server.close();
});

async function start(more: { path?: string; url?: (origin: string) => string; password?: string } = {}): Promise<void> {
  odd = new OddServer();
  const origin = await odd.listen();
  destination = createWebdavDestination({
    url: more.url?.(origin) ?? origin,
    path: more.path ?? "/site",
    login: more.password === undefined ? {} : { user: "site", password: more.password },
    limits: { connectMs: 2_000, idleMs: 2_000, answerMs: 4_000, silenceMs: 6_000 },
  });
}

async function failure(work: Promise<unknown>): Promise<DestinationError> {
  const error = await failureOf(work);
  expect(error).toBeInstanceOf(DestinationError);
  return error as DestinationError;
}

describe("a server that says 201 and stores nothing of a body in chunks (PHP-FPM)", () => {
  const forgetChunks = (): void => {
    odd.kept = (request, bytes) => (request.headers["transfer-encoding"] === "chunked" ? 0 : bytes);
  };

  it("gets the body again with its length", async () => {
    await start();
    forgetChunks();
    await destination.put("a.tar", generatedSource(3_000_000), asArchive());
    expect([...odd.files]).toEqual([["/site/a.tar", 3_000_000]]);
    expect(odd.log.filter((line) => line.startsWith("PUT"))).toHaveLength(2);
  });

  it("is an error that names the setting, where the archive can't be read again", async () => {
    await start();
    forgetChunks();
    const error = await failure(
      destination.put("a.tar", generatedSource(40_000_000, { windowBytes: 20_000_000 }), asArchive()),
    );
    expect(error.message).toContain("stores no body of unknown length");
    expect(error.hint).toContain("BACKUP_STAGING=disk");
    expect([...odd.files]).toEqual([]);
  });

  it("so is one that wants a length at once", async () => {
    await start();
    odd.oddity = (request, response) => {
      if (request.headers["transfer-encoding"] !== "chunked") return false;
      response.writeHead(411, { Connection: "close" }).end();
      return true;
    };
    await destination.put("a.tar", generatedSource(3_000_000), asArchive());
    expect([...odd.files]).toEqual([["/site/a.tar", 3_000_000]]);
  });
});

describe("a server that says 201 on a full disk", () => {
  it.each([
    [1_000, "full"],
    [undefined, "unavailable"],
  ] as const)("with %s bytes of quota left is `%s`, not tried again, and nothing is visible", async (quota, code) => {
    await start();
    odd.kept = (_request, bytes) => Math.min(bytes, 1_000);
    odd.quota = quota;
    const error = await failure(destination.put("a.tar", generatedSource(2_000_000), asArchive()));
    expect(error.code).toBe(code);
    expect(error.message).toContain("1000 of its 2000000 bytes");
    expect(odd.log.filter((line) => line.startsWith("PUT"))).toHaveLength(1);
    expect([...odd.files]).toEqual([]);
  });

  it("is seen before the first byte where it tells its quota", async () => {
    await start();
    odd.quota = 1_000;
    const body = generatedSource(2_000_000, { isLengthUnknown: false });
    expect(await failure(destination.put("a.tar", body, asArchive()))).toMatchObject({ code: "full" });
    expect(odd.log.some((line) => line.startsWith("PUT"))).toBe(false);
  });
});

describe("redirects", () => {
  it("to the same host are followed, and the body waits for it", async () => {
    await start({ url: (origin) => `${origin}/old` });
    odd.oddity = (request, response) => {
      if (request.url?.startsWith("/old/") !== true) return false;
      response.writeHead(301, { Location: request.url.replace("/old/", "/new/"), Connection: "close" }).end();
      return true;
    };
    await destination.put("a.tar", generatedSource(1_000_000), asArchive());
    expect(odd.log.filter((line) => line.startsWith("PUT /new/"))).toHaveLength(1);
    expect([...odd.files]).toEqual([["/new/site/a.tar", 1_000_000]]);
  });

  it.each([
    ["another host", "https://user:geheim@other.test/dav/"],
    ["nowhere", "http://"],
  ])("to %s are an error that says where, without a login", async (_what, location) => {
    await start();
    odd.oddity = (_request, response) => {
      response.writeHead(302, { Location: location }).end();
      return true;
    };
    const error = await failure(destination.connect(AbortSignal.timeout(5_000)));
    expect(error).toMatchObject({ code: "invalid", hint: expect.stringContaining("WEBDAV_URL") });
    expect(error.message).not.toContain("geheim");
  });

  it("in a circle end", async () => {
    await start();
    odd.oddity = (request, response) => {
      response.writeHead(302, { Location: `${request.url ?? ""}x/` }).end();
      return true;
    };
    expect((await failure(destination.connect(AbortSignal.timeout(5_000)))).message).toContain("circle");
  });
});

describe("what is no WebDAV", () => {
  it.each([
    ["a web page", 200, "<html>Welcome</html>", "invalid"],
    ["half a listing", 207, "<multistatus><response>", "unavailable"],
    ["no such method", 405, "", "invalid"],
    ["no such place", 404, "", "not-found"],
  ] as const)("%s is an error with a hint at WEBDAV_URL", async (_what, status, body, code) => {
    await start({ path: "/" });
    odd.oddity = (_request, response) => {
      response.writeHead(status, { "Content-Type": "text/html" }).end(body);
      return true;
    };
    const error = await failure(destination.connect(AbortSignal.timeout(10_000)));
    expect(error).toMatchObject({ code, hint: expect.stringContaining("WEBDAV_URL") });
  });
});

it("a server that knows itself under another path lists what it has", async () => {
  await start();
  odd.hrefPrefix = "http://inner:8080/behind/proxy";
  odd.files.set("/site/a.tar", 5);
  odd.files.set("/site/b.tar", 6);
  expect((await listAll(destination, "archive")).map(({ name }) => name)).toEqual(["a.tar", "b.tar"]);
});

it("a server that ignores ranges is cut to size, and a body that is too short is an error", async () => {
  await start();
  const bytes = sampleBytes(100_000);
  odd.oddity = (request, response) => {
    if (request.method !== "GET") return false;
    response.writeHead(200, { "Content-Length": bytes.byteLength });
    if (request.url?.endsWith("short.tar") === true) {
      response.write(bytes.subarray(0, 500));
      setTimeout(() => response.destroy(), 50);
    } else response.end(bytes);
    return true;
  };
  const got = await readAll(destination, "archive", "a.tar", { offset: 10, length: 100 });
  expect(got.equals(bytes.subarray(10, 110))).toBe(true);
  expect(await failure(readAll(destination, "archive", "short.tar"))).toMatchObject({ code: "unavailable" });
});

it("a server that knows no `Expect` gets the body after two seconds", async () => {
  await start();
  odd.server.removeAllListeners("checkContinue");
  odd.server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    odd.server.emit("request", request, response);
  });
  const startedAt = performance.now();
  await destination.put("a.tar", generatedSource(1_000_000), asArchive());
  expect(performance.now() - startedAt).toBeGreaterThan(1_500);
  await destination.put("small.json", bufferSource(sampleBytes(100)), asArchive());
  expect([...odd.files.values()]).toEqual([1_000_000, 100]);
});

it(
  "a small body is sent at once, and an answer in the middle of a large one ends it",
  { timeout: 20_000 },
  async () => {
    await start();
    odd.oddity = (request, response) => {
      if (request.method !== "PUT") return false;
      response.writeContinue();
      request.once("data", () => response.writeHead(507, { Connection: "close" }).end("no room"));
      return true;
    };
    const error = await failure(destination.put("a.tar", generatedSource(30_000_000), asArchive()));
    expect(error).toMatchObject({ code: "full", message: expect.stringContaining("no room") });
  },
);

it("no half of a password is left where an answer is cut", async () => {
  await start({ password: "secretsecret" });
  odd.oddity = (_request, response) => {
    response.writeHead(403).end(`${".".repeat(192)} secretsecret`);
    return true;
  };
  const error = await failure(destination.connect(AbortSignal.timeout(5_000)));
  expect(error.message).toContain("HTTP 403");
  expect(error.message).not.toContain("secre");
});
