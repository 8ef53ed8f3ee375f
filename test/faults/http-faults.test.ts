import { createServer, request, type Server } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HttpFaults, startHttpFaults } from "./http-faults.ts";

let upstream: Server;
let faults: HttpFaults;
let stored: { line: string; host: string | undefined; bytes: number }[];

beforeEach(async () => {
  stored = [];
  upstream = createServer((incoming, answer) => {
    let bytes = 0;
    incoming.on("data", (chunk: Buffer) => (bytes += chunk.byteLength));
    incoming.on("end", () => {
      stored.push({ line: `${incoming.method ?? ""} ${incoming.url ?? ""}`, host: incoming.headers.host, bytes });
      answer.writeHead(201, { "X-Odd-Case": "kept", "Set-Cookie": ["a=1", "b=2"] });
      answer.end(`stored ${bytes}`);
    });
  });
  upstream.on("checkContinue", (incoming, answer) => {
    answer.writeContinue();
    upstream.emit("request", incoming, answer);
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const address = upstream.address();
  faults = await startHttpFaults(typeof address === "object" && address !== null ? address.port : 0);
});
afterEach(async () => {
  await faults.close();
  upstream.closeAllConnections();
  upstream.close();
});

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | undefined;
  readonly continued: boolean;
}

/** A body may be sent only after `100 Continue`, as clients do that announce it. */
function send(method: string, path: string, body: Buffer, expects100 = false): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let continued = false;
    const outgoing = request(
      {
        host: "127.0.0.1",
        port: faults.port,
        method,
        path,
        headers: { "Content-Length": body.byteLength, ...(expects100 ? { Expect: "100-continue" } : {}) },
      },
      (response) => {
        let text = "";
        response.on("data", (chunk) => (text += String(chunk)));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            text,
            retryAfter: response.headers["retry-after"],
            continued,
          }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.on("continue", () => {
      continued = true;
      outgoing.end(body);
    });
    if (!expects100) outgoing.end(body);
    else outgoing.flushHeaders();
  });
}

describe("bad answers in front of a server", () => {
  it("pass requests, their bodies and answers as they are", async () => {
    const answer = await send("PUT", "/a%20b?x=1", Buffer.alloc(3_000_000));
    expect(answer).toMatchObject({ status: 201, text: "stored 3000000" });
    expect(stored).toEqual([{ line: "PUT /a%20b?x=1", host: `127.0.0.1:${faults.port}`, bytes: 3_000_000 }]);
    expect((await send("PUT", "/c", Buffer.alloc(10), true)).continued).toBe(true);
    expect((await send("DELETE", "/c", Buffer.alloc(0))).status).toBe(201);
  });

  it("answer the first requests of a method with a status, and pass the rest", async () => {
    faults.setBursts([{ status: 429, times: 2, methods: ["PUT"], retryAfter: 1, body: "slow down" }]);
    expect((await send("GET", "/a", Buffer.alloc(0))).status).toBe(201);
    for (let time = 1; time <= 2; time += 1)
      expect(await send("PUT", "/a", Buffer.alloc(10))).toMatchObject({
        status: 429,
        retryAfter: "1",
        text: "slow down",
      });
    expect((await send("PUT", "/a", Buffer.alloc(10))).status).toBe(201);
    expect(faults.requests.map(({ status, fault }) => [status, fault])).toEqual([
      [201, false],
      [429, true],
      [429, true],
      [201, false],
    ]);
    expect(stored).toHaveLength(2);
  });

  it("answer at once, before the body, also where the client waits for permission", async () => {
    faults.setBursts([{ status: 503, times: 1, when: "at-once" }]);
    expect(await send("PUT", "/a", Buffer.alloc(10), true)).toMatchObject({ status: 503, continued: false });
    expect(stored).toEqual([]);
  });

  it("lose the answer of a request that the server has carried out", async () => {
    faults.setBursts([{ status: 500, times: 1, when: "after-server", path: /^\/lost/ }]);
    expect((await send("PUT", "/kept", Buffer.alloc(5))).status).toBe(201);
    expect((await send("PUT", "/lost", Buffer.alloc(7))).status).toBe(500);
    expect(stored.map(({ bytes }) => bytes)).toEqual([5, 7]);
  });
});
