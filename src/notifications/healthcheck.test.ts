import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { sendPing } from "./healthcheck.ts";

let server: Server | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve));
});

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** The host of a server that answers so, and the requests that it got. */
async function answering(answer: (path: string) => Answer): Promise<{ host: string; received: IncomingMessage[] }> {
  const received: IncomingMessage[] = [];
  const started = createServer((request, response) => {
    received.push(request);
    const { status, headers, body } = answer(request.url ?? "");
    request.resume();
    response.writeHead(status, headers).end(body);
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  return { host: `127.0.0.1:${(started.address() as AddressInfo).port}`, received };
}

function ping(url: string): Promise<string | undefined> {
  return sendPing(url, "start", "", { signal: AbortSignal.timeout(10_000), environment: {}, baseMs: 1 });
}

it("logs in with the URL's user name and password", async () => {
  const { host, received } = await answering(() => ({ status: 200 }));
  expect(await ping(`http://us%40er:p%3Aw@${host}/ping/u`)).toBeUndefined();
  expect(received[0]?.headers["authorization"]).toBe(`Basic ${Buffer.from("us@er:p:w").toString("base64")}`);
});

it("follows redirects", async () => {
  const { host, received } = await answering((path) =>
    path.startsWith("/old") ? { status: 308, headers: { location: path.replace("old", "new") } } : { status: 200 },
  );
  expect(await ping(`http://${host}/old/u`)).toBeUndefined();
  expect(received.map(({ method, url }) => `${method ?? ""} ${url ?? ""}`)).toEqual([
    "POST /old/u/start",
    "POST /new/u/start",
  ]);
});

it("says what the service said without what is secret in the URL, on one line", async () => {
  const { host, received } = await answering((path) => ({ status: 404, body: `no ping\n${path} ${"x".repeat(1000)}` }));
  const problem = await ping(`http://${host}/ping/0c37b1e2-s3cret?key=s3cret-key`);
  expect(problem).toMatch(/^status 404: no ping \/ping\/\*{3}\/start\?key=\*{3} x+…$/);
  expect(received).toHaveLength(1);
});

it("tries again after 503", async () => {
  const { host, received } = await answering(() => ({ status: 503, body: "busy" }));
  expect(await ping(`http://${host}/ping/u`)).toBe("status 503: busy");
  expect(received).toHaveLength(3);
});

it("says in words that nobody answers", async () => {
  const { host } = await answering(() => ({ status: 200 }));
  await new Promise((resolve) => server?.close(resolve));
  expect(await ping(`http://${host.replace("127.0.0.1", "localhost")}/ping/u`)).toBe(
    "no answer: the connection was refused",
  );
});

it("takes a percent sign that begins no escape, and says of what is no web address that it is none", async () => {
  const { host, received } = await answering(() => ({ status: 200 }));
  expect(await ping(`http://us%zz:50%@${host}/ping/u`)).toBeUndefined();
  expect(received[0]?.headers["authorization"]).toBe(`Basic ${Buffer.from("us%zz:50%").toString("base64")}`);
  expect(await ping("hc.example/hunter2")).toBe("it is no http or https URL");
});
