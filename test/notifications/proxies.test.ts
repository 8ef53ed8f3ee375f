import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { parseRoutes } from "../../src/notifications/routes.ts";
import { sendAll } from "../../src/notifications/send/send-all.ts";

const servers: { server: Server; sockets: Set<Socket> }[] = [];

afterEach(async () => {
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  servers.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** A forward proxy that notes what it was asked for; every target is the local `port`. */
async function startProxy(port: number): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(`${request.method ?? ""} ${request.url ?? ""} ${request.headers["proxy-authorization"] ?? ""}`.trim());
    request.resume();
    response.end("{}");
  });
  proxy.on("connect", (request, client: Socket) => {
    asked.push(`CONNECT ${request.url ?? ""} ${request.headers["proxy-authorization"] ?? ""}`.trim());
    const upstream = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on("error", () => client.destroy());
    client.on("error", () => upstream.destroy());
  });
  return { port: await listen(proxy), asked };
}

async function send(url: string, environment: Record<string, string>): Promise<readonly string[]> {
  const { routes } = parseRoutes(url);
  const reports = await sendAll(
    routes,
    { body: "b", level: "info" },
    { signal: AbortSignal.timeout(10_000), environment, retryBaseMs: 1, deadlineMs: 3000 },
  );
  return reports.flatMap(({ problems }) => problems);
}

describe("proxies from the environment", () => {
  it("HTTP_PROXY serves http, with its credentials, and HTTPS_PROXY https", async () => {
    const target = await listen(createServer((_, response) => response.end("{}")));
    const [plain, secure] = [await startProxy(target), await startProxy(target)];
    const environment = {
      HTTP_PROXY: `http://u:p4ssword@127.0.0.1:${plain.port}`,
      https_proxy: `127.0.0.1:${secure.port}`,
    };
    expect(await send("generic://a.example.com/x?disabletls=yes", environment)).toEqual([]);
    expect(plain.asked.join()).toContain(`Basic ${Buffer.from("u:p4ssword").toString("base64")}`);
    expect(plain.asked.join()).toContain("a.example.com");
    expect(secure.asked).toEqual([]);
    // The target speaks no TLS, so this fails after the proxy has done its part.
    const problems = await send("generic://b.example.com/x", environment);
    expect(problems).toHaveLength(1);
    expect(problems.join()).not.toContain("p4ssword");
    expect(secure.asked[0]).toBe("CONNECT b.example.com:443");
  });

  it("neither the own machine nor what NO_PROXY names goes through one", async () => {
    let count = 0;
    const target = await listen(
      createServer((_, response) => {
        count += 1;
        response.end("{}");
      }),
    );
    const proxy = await startProxy(target);
    const environment = { HTTP_PROXY: `http://127.0.0.1:${proxy.port}`, NO_PROXY: "lab.invalid,.other.invalid" };
    expect(await send(`generic://localhost:${target}/x?disabletls=yes`, environment)).toEqual([]);
    expect(count).toBe(1);
    expect(await send("generic://sub.lab.invalid/x?disabletls=yes", environment)).toEqual([
      "the host name is not known",
    ]);
    expect(proxy.asked).toEqual([]);
  });

  it("a proxy that is not there is said, and worth another try", async () => {
    const { routes } = parseRoutes("ntfy://a.example.com/t");
    const environment = { HTTPS_PROXY: "http://127.0.0.1:1" };
    const [report] = await sendAll(
      routes,
      { body: "b", level: "info" },
      { signal: AbortSignal.timeout(10_000), environment, retryBaseMs: 1 },
    );
    expect(report).toMatchObject({ isDelivered: false, canRetry: true });
  });
});

describe("all routes together", () => {
  it("one that hangs or fails keeps no other back; the reports come in order", async () => {
    const target = await listen(
      createServer((request, response) => (request.url?.includes("hang") === true ? undefined : response.end("{}"))),
    );
    const { routes } = parseRoutes(
      `generic://localhost:${target}/hang?disabletls=yes,generic://localhost:1/x?disabletls=yes,generic://localhost:${target}/ok?disabletls=yes,logger://`,
    );
    const reports = await sendAll(
      routes,
      { body: "b", level: "info" },
      { signal: AbortSignal.timeout(10_000), deadlineMs: 500, retryBaseMs: 1 },
    );
    expect(reports.map(({ label, isDelivered }) => [label, isDelivered])).toEqual([
      ["generic 1", false],
      ["generic 2", false],
      ["generic 3", true],
      ["logger 4", true],
    ]);
    expect(reports[1]?.problems).toEqual(["the connection was refused"]);
    expect(reports[2]?.tookMs).toBeLessThan(400);
  });

  it("an abort ends what is still going on at once", async () => {
    const target = await listen(createServer(() => undefined));
    const { routes } = parseRoutes(
      `generic://localhost:${target}/x?disabletls=yes,smtp://localhost:${target}/?from=a@x%26to=b@x`.replace(
        "%26",
        "&",
      ),
    );
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("stopped by SIGTERM")), 100);
    const startedAt = performance.now();
    const reports = await sendAll(routes, { body: "b", level: "info" }, { signal: controller.signal });
    expect(performance.now() - startedAt).toBeLessThan(1500);
    expect(reports.map(({ problems, canRetry }) => [problems, canRetry])).toEqual([
      [["given up: stopped by SIGTERM"], true],
      [["given up: stopped by SIGTERM"], true],
    ]);
  });
});
