import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { failureOf } from "../../../test/conformance/harness.ts";
import { managedIdentity } from "./managed-identity.ts";

async function service(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}` : "";
}

const SCOPE = "https://storage.azure.com/.default";

it("asks the machine's service", async () => {
  const host = await service((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://x");
    expect(request.headers["metadata"]).toBe("true");
    expect(pathname).toBe("/metadata/identity/oauth2/token");
    expect(Object.fromEntries(searchParams)).toEqual({
      "api-version": "2018-02-01",
      resource: "https://storage.azure.com/",
      client_id: "user-assigned",
    });
    response.end(JSON.stringify({ access_token: "t1", expires_on: "1893456000", expires_in: "3600" }));
  });
  const environment = { AZURE_POD_IDENTITY_AUTHORITY_HOST: host, AZURE_CLIENT_ID: "user-assigned" };
  expect(await managedIdentity(environment).getToken(SCOPE)).toEqual({
    token: "t1",
    expiresOnTimestamp: 1_893_456_000_000,
  });
});

it("asks App Service's and Container Apps' service", async () => {
  const endpoint = await service((request, response) => {
    expect(request.headers["x-identity-header"]).toBe("header-secret");
    expect(new URL(request.url ?? "", "http://x").searchParams.get("api-version")).toBe("2019-08-01");
    response.end(JSON.stringify({ access_token: "t2", expires_on: 1_893_456_000 }));
  });
  const environment = { IDENTITY_ENDPOINT: `${endpoint}/msi/token`, IDENTITY_HEADER: "header-secret" };
  expect(await managedIdentity(environment).getToken(SCOPE)).toMatchObject({ token: "t2" });
});

it("exchanges the token file of a pod", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lifeboat-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "token"), "federated\n");
  const authority = await service((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const form = new URLSearchParams(body);
      expect(request.url).toBe("/tenant/oauth2/v2.0/token");
      expect(form.get("client_assertion")).toBe("federated");
      expect(form.get("client_id")).toBe("client");
      expect(form.get("scope")).toBe(SCOPE);
      response.end(JSON.stringify({ access_token: "t3", expires_in: 3600 }));
    });
  });
  const token = await managedIdentity({
    AZURE_FEDERATED_TOKEN_FILE: join(folder, "token"),
    AZURE_TENANT_ID: "tenant",
    AZURE_CLIENT_ID: "client",
    AZURE_AUTHORITY_HOST: `${authority}/`,
  }).getToken(SCOPE);
  expect(token.token).toBe("t3");
  expect(Math.abs(token.expiresOnTimestamp - Date.now() - 3_600_000)).toBeLessThan(60_000);
});

it.each([
  [400, "denied"],
  [429, "unavailable"],
  [500, "unavailable"],
])("an answer of %i is %s, with what to set instead", async (status, code) => {
  const host = await service((_, response) => void response.writeHead(status).end("{}"));
  const error = await failureOf(managedIdentity({ AZURE_POD_IDENTITY_AUTHORITY_HOST: host }).getToken(SCOPE));
  expect(error).toMatchObject({ code, hint: expect.stringContaining("AZURE_STORAGE_PRIMARY_ACCOUNT_KEY") });
});

it("shows nothing of an answer that it can't read", async () => {
  const host = await service((_, response) => void response.end('{"access_token":secretsecret}'));
  const error = await failureOf(managedIdentity({ AZURE_POD_IDENTITY_AUTHORITY_HOST: host }).getToken(SCOPE));
  expect(error).toMatchObject({ code: "unavailable", message: expect.stringContaining("no JSON") });
  expect(String(error)).not.toContain("secret");
});
