import type { IncomingMessage, ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { generatedSource } from "../../../test/conformance/generated-source.ts";
import { asArchive, failureOf, listAll, readAll } from "../../../test/conformance/harness.ts";
import { sampleBytes } from "../../../test/conformance/sources.ts";
import { OddDavServer } from "../../../test/servers/odd-dav.ts";
import type { Destination } from "../../contracts/destination.ts";
import { DestinationError } from "../../lib/errors.ts";
import { bufferSource } from "../buffer-source.ts";
import { createWebdavDestination } from "./webdav.ts";

let odd: OddDavServer;
let destination: Destination;
afterEach(async () => {
  await destination.close();
  odd.server.closeAllConnections();
  odd.server.close();
});

async function start(more: { path?: string; url?: (origin: string) => string; password?: string } = {}): Promise<void> {
  odd = new OddDavServer();
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

  it("into a folder are followed, and the file gets its name there", async () => {
    await start();
    odd.oddity = (request, response) => {
      if (request.url?.startsWith("/dav/") === true) return false;
      response.writeHead(308, { Location: `/dav${request.url ?? ""}`, Connection: "close" }).end();
      return true;
    };
    await destination.put("a.tar", generatedSource(1_000_000), asArchive());
    expect([...odd.files]).toEqual([["/dav/site/a.tar", 1_000_000]]);
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

describe("a rename", () => {
  it("that is answered a second time, after something in between repeated it, was done", async () => {
    await start();
    odd.oddity = (request, response) => {
      if (request.method !== "MOVE") return false;
      odd.oddity = () => false;
      odd.files.set("/site/a.tar", 1_000_000);
      odd.files.delete(decodeURIComponent(request.url ?? ""));
      response.writeHead(404).end();
      return true;
    };
    expect(await destination.put("a.tar", generatedSource(1_000_000), asArchive())).toMatchObject({
      sizeBytes: 1_000_000,
    });
  });

  it.each([404, 501])("that is refused with %i is an error, and nothing is left", async (status) => {
    await start();
    odd.oddity = (request, response) => {
      if (request.method === "MOVE") response.writeHead(status).end();
      return request.method === "MOVE";
    };
    const error = await failure(destination.put("a.tar", generatedSource(1_000_000), asArchive()));
    expect(error.message).toContain(`HTTP ${status}`);
    if (status === 501) expect(error.hint).toContain("MOVE");
    expect([...odd.files]).toEqual([]);
  });
});

it("a server that refuses `Expect` gets the body without, and is not asked again", async () => {
  await start();
  odd.server.removeAllListeners("checkContinue");
  odd.server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    odd.log.push(`417 ${request.method ?? ""}`);
    response.writeHead(417).end();
  });
  for (const name of ["a.tar", "b.tar"]) await destination.put(name, generatedSource(1_000_000), asArchive());
  expect([...odd.files]).toEqual([
    ["/site/a.tar", 1_000_000],
    ["/site/b.tar", 1_000_000],
  ]);
  expect(odd.log.filter((line) => line.startsWith("417"))).toEqual(["417 PUT"]);
});

it("a login that is not ASCII goes with every request in the same bytes", async () => {
  const users = new Set<string>();
  odd = new OddDavServer();
  odd.oddity = (request, response) => {
    const { authorization } = request.headers;
    if (authorization === undefined) response.writeHead(401, { "WWW-Authenticate": 'Digest realm="r", nonce="n"' });
    else users.add(/username="([^"]*)"/.exec(Buffer.from(authorization, "latin1").toString("utf8"))?.[1] ?? "");
    if (authorization === undefined) request.resume().once("end", () => response.end());
    return authorization === undefined;
  };
  const url = await odd.listen();
  destination = createWebdavDestination({ url, path: "/site", login: { user: "jörg", password: "x" } });
  await destination.put("a.tar", generatedSource(1_000_000), asArchive());
  await destination.put("small.json", bufferSource(sampleBytes(100)), asArchive());
  expect([...users]).toEqual(["jörg"]);
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
