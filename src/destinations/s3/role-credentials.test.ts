import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { expect, it, onTestFinished } from "vitest";
import { failureOf } from "../../../test/conformance/harness.ts";
import { freePort } from "../../../test/servers/program.ts";
import { roleCredentials } from "./role-credentials.ts";

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

const KEYS = { AccessKeyId: "ASIA", SecretAccessKey: "secret", Token: "token", Expiration: "2030-01-01T00:00:00Z" };
const EXPECTED = {
  accessKeyId: "ASIA",
  secretAccessKey: "secret",
  sessionToken: "token",
  expiration: new Date("2030-01-01T00:00:00Z"),
};

it("asks an EC2 machine's service with a session token", async () => {
  const asked: string[] = [];
  const endpoint = await service((request, response) => {
    asked.push(
      `${request.method ?? ""} ${request.url ?? ""} ${String(request.headers["x-aws-ec2-metadata-token"] ?? "")}`,
    );
    if (request.method === "PUT") response.end("session");
    else if (request.url?.endsWith("/security-credentials/") === true) response.end("my-role\n");
    else response.end(JSON.stringify(KEYS));
  });
  expect(await roleCredentials(endpoint, {})).toEqual(EXPECTED);
  expect(asked).toEqual([
    "PUT /latest/api/token ",
    "GET /latest/meta-data/iam/security-credentials/ session",
    "GET /latest/meta-data/iam/security-credentials/my-role session",
  ]);
});

it("goes without a session token where there is none", async () => {
  const endpoint = await service((request, response) => {
    if (request.method === "PUT") response.writeHead(404).end("no");
    else if (request.url?.endsWith("/") === true) response.end("r");
    else response.end(JSON.stringify(KEYS));
  });
  expect(await roleCredentials(endpoint, {})).toEqual(EXPECTED);
});

it("goes without a session token where its answer does not come: a container may be one hop too far away", async () => {
  const endpoint = await service((request, response) => {
    if (request.method === "PUT") return;
    response.end(request.url?.endsWith("/") === true ? "r" : JSON.stringify(KEYS));
  });
  expect(await roleCredentials(endpoint, {})).toEqual(EXPECTED);
});

it("shows nothing of an answer that it can't read", async () => {
  const endpoint = await service((request, response) => {
    response.end(request.url?.endsWith("/r") === true ? '{"SecretAccessKey":secretsecret}' : "r");
  });
  const error = await failureOf(roleCredentials(endpoint, {}));
  expect(error).toMatchObject({ code: "unavailable", message: expect.stringContaining("no JSON") });
  expect(String(error)).not.toContain("secret");
});

it("asks a task's service where the endpoint or the platform names a path", async () => {
  const asked: string[] = [];
  const endpoint = await service((request, response) => {
    asked.push(request.url ?? "");
    response.end(JSON.stringify(KEYS));
  });
  expect(await roleCredentials(`${endpoint}/v2/credentials/x`, {})).toEqual(EXPECTED);
  expect(await roleCredentials(endpoint, { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/v2/y" })).toEqual(EXPECTED);
  expect(asked).toEqual(["/v2/credentials/x", "/v2/y"]);
});

it.each([
  ["no role", (_: IncomingMessage, response: ServerResponse) => void response.end(""), "denied"],
  ["refused", (_: IncomingMessage, response: ServerResponse) => void response.writeHead(403).end("x"), "denied"],
  ["busy", (_: IncomingMessage, response: ServerResponse) => void response.writeHead(503).end("x"), "unavailable"],
  [
    "no keys",
    (request: IncomingMessage, response: ServerResponse) =>
      void response.end(request.url?.endsWith("/role") === true ? "{}" : "role"),
    "denied",
  ],
])("says what is wrong: %s", async (_, answer, code) => {
  const error = await failureOf(roleCredentials(await service(answer), {}));
  expect(error).toMatchObject({ code, hint: expect.stringContaining("AWS_IAM_ROLE_ENDPOINT") });
});

it("says that nobody answers", async () => {
  const error = await failureOf(roleCredentials(`http://127.0.0.1:${await freePort()}`, {}));
  expect(error).toMatchObject({ code: "unavailable", message: expect.stringContaining("refused") });
});
