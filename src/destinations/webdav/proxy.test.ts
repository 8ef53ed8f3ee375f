import { createServer } from "node:http";
import { expect, it, onTestFinished, vi } from "vitest";
import { failureOf, signal } from "../../../test/conformance/harness.ts";
import { createWebdavDestination } from "./webdav.ts";

it("a server may lie behind a proxy", async () => {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.writeHead(403).end();
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const address = proxy.address();
  vi.stubEnv("HTTP_PROXY", `127.0.0.1:${typeof address === "object" ? address?.port : ""}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const destination = createWebdavDestination({ url: "http://dav.invalid/a", path: "/", login: {} });
  onTestFinished(() => destination.close());
  expect(destination.endpoint).toBeUndefined();
  expect(await failureOf(destination.connect(signal()))).toMatchObject({ code: "denied" });
  expect(asked[0]).toMatch(/^http:\/\/dav\.invalid\/a/);
});
