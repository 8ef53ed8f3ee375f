import { createServer } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { asArchive, failureOf, signal } from "../../../test/conformance/harness.ts";
import { openS3 } from "../../../test/conformance/s3-store.ts";
import { bufferSource } from "../buffer-source.ts";
import type { DestinationError } from "../../lib/errors.ts";

interface Answer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Gives every request the same answer. */
async function storeThatAnswers({ status, body = "", headers = {} }: Answer): Promise<number> {
  const server = createServer((request, response) => {
    request
      .resume()
      .on("end", () => response.writeHead(status, { ...headers }).end(request.method === "HEAD" ? "" : body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function refusalOf(answer: Answer): Promise<DestinationError> {
  const destination = await openS3({
    AWS_S3_BUCKET_NAME: "b",
    AWS_ENDPOINT: `127.0.0.1:${await storeThatAnswers(answer)}`,
    AWS_ENDPOINT_PROTO: "http",
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "AKIDAKID",
    AWS_SECRET_ACCESS_KEY: "secretsecret",
  });
  onTestFinished(() => destination.close());
  return (await failureOf(destination.put("a.tar", bufferSource(Buffer.from("x")), asArchive()))) as DestinationError;
}

const xml = (code: string, message: string, more = ""): string =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message>${more}</Error>`;

describe("what a store says becomes a code, a line and a setting to look at", () => {
  it.each([
    [404, "NoSuchBucket", "not-found", "AWS_S3_BUCKET_NAME"],
    [403, "AccessDenied", "denied", "AWS_ACCESS_KEY_ID"],
    [403, "InvalidAccessKeyId", "denied", "AWS_ACCESS_KEY_ID"],
    [403, "SignatureDoesNotMatch", "denied", "AWS_SECRET_ACCESS_KEY"],
    [404, "XAdminUserNotFound", "denied", "AWS_ACCESS_KEY_ID"],
    [400, "ExpiredToken", "denied", "AWS_SESSION_TOKEN"],
    [403, "RequestTimeTooSkewed", "denied", "clock"],
    [400, "EntityTooLarge", "invalid", "AWS_PART_SIZE"],
    [400, "InvalidStorageClass", "invalid", "AWS_STORAGE_CLASS"],
    [507, "InsufficientStorage", "full", "BACKUP_RETENTION_DAYS"],
    [403, "QuotaExceeded", "full", "BACKUP_RETENTION_DAYS"],
    [501, "NotImplemented", "invalid", "AWS_STORAGE_CLASS"],
  ])("%i %s", async (status, word, code, named) => {
    const error = await refusalOf({ status, body: xml(word, "because of AKIDAKID") });
    expect(error).toMatchObject({ code, hint: expect.stringContaining(named) });
    expect(error.message).toContain(`${status} ${word}`);
    expect(error.message).toContain("because of ***");
    expect(error.message).toContain("a.tar");
  });

  it("names the region that the store names", async () => {
    const error = await refusalOf({
      status: 301,
      body: xml("PermanentRedirect", "use the endpoint", "<Endpoint>b.s3.eu-west-3.amazonaws.com</Endpoint>"),
      headers: { "x-amz-bucket-region": "eu-west-3" },
    });
    expect(error).toMatchObject({ code: "invalid", hint: "set AWS_REGION to eu-west-3" });
  });

  it("shows the beginning of what is no answer of S3's", async () => {
    const error = await refusalOf({ status: 403, body: "<html>\n<title>Blocked by secretsecret</title></html>" });
    expect(error.code).toBe("denied");
    expect(error.message).toContain("403");
    expect(`${error.message} ${error.hint ?? ""}`).not.toContain("secretsecret");
  });

  it("413 without a word of S3's is a proxy's limit", async () => {
    expect(await refusalOf({ status: 413 })).toMatchObject({
      code: "invalid",
      hint: expect.stringContaining("AWS_PART_SIZE"),
    });
  });
});

it("a store that holds less than it was sent is not believed", { timeout: 30_000 }, async () => {
  const headers = { etag: '"9dd4e461268c8034f5c8564e155c67a6"', "content-length": "0" };
  const error = await refusalOf({ status: 200, headers });
  expect(error).toMatchObject({ code: "unavailable", message: expect.stringContaining("instead of 1") });
});

it("a host that does not exist is named with the setting", { timeout: 60_000 }, async () => {
  const destination = await openS3({
    AWS_S3_BUCKET_NAME: "b",
    AWS_ENDPOINT: "no-such-host.invalid",
    AWS_ACCESS_KEY_ID: "k",
    AWS_SECRET_ACCESS_KEY: "s",
  });
  const error = await failureOf(destination.connect(signal()));
  expect(error).toMatchObject({ code: "unavailable", hint: expect.stringContaining("AWS_ENDPOINT") });
  await destination.close();
});

it.each([
  [401, "denied"],
  [403, "denied"],
  [404, "not-found"],
  [302, "invalid"],
])("of a web page that refuses (%i), the beginning is shown", async (status, code) => {
  const body = "<html><head><title>no</title></head><body>blocked by the firewall</body></html>";
  const error = await refusalOf({ status, body, headers: { "content-type": "text/html" } });
  expect(error.code).toBe(code);
  expect(error.message).toContain(`${status} and not as S3 does: "<html>`);
  expect(error.message).toContain("blocked by the firewall");
});

it.each(["plain text", "<html><body>a page"])(
  "no half of a secret is left where an answer is cut: %s",
  async (kind) => {
    const error = await refusalOf({ status: 403, body: `${kind} ${".".repeat(192 - kind.length)} secretsecret` });
    expect(error.message).not.toContain("secre");
  },
);
