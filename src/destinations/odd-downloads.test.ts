import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { failureOf, signal } from "../../test/conformance/harness.ts";
import { openS3 } from "../../test/conformance/s3-store.ts";
import { sampleBytes } from "../../test/conformance/sources.ts";
import { valuesFrom } from "../../test/servers/job-values.ts";
import type { Destination } from "../contracts/destination.ts";
import { createAzureDestination } from "./azure/azure.ts";
import { azureOptionsFrom } from "./azure/options.ts";

const BYTES = sampleBytes(300_000);

const openers: Readonly<Record<string, (port: number) => Promise<Destination>>> = {
  s3: (port) =>
    openS3({
      AWS_S3_BUCKET_NAME: "b",
      AWS_ENDPOINT: `127.0.0.1:${port}`,
      AWS_ENDPOINT_PROTO: "http",
      AWS_ACCESS_KEY_ID: "AKIDAKID",
      AWS_SECRET_ACCESS_KEY: "secretsecret",
    }),
  azure: async (port) =>
    createAzureDestination(
      azureOptionsFrom(
        await valuesFrom({
          AZURE_STORAGE_ACCOUNT_NAME: "shop",
          AZURE_STORAGE_CONTAINER_NAME: "backups",
          AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: "a2V5",
          AZURE_STORAGE_ENDPOINT: `http://127.0.0.1:${port}/{{ .AccountName }}`,
        }),
      ),
    ),
};

/** Gives half of the object, and cuts; every later request gets `again`. */
async function opened(kind: string, again: (from: number, response: ServerResponse) => void): Promise<Destination> {
  let answers = 0;
  const server = createServer((request, response) => {
    answers += 1;
    if (answers > 1) return again(firstByteOf(request), response);
    response.writeHead(200, { "content-length": BYTES.byteLength, etag: '"one"' });
    response.write(BYTES.subarray(0, BYTES.byteLength / 2), () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const open = openers[kind];
  if (open === undefined || address === null || typeof address === "string") throw new Error("no destination");
  const destination = await open(address.port);
  onTestFinished(() => destination.close());
  return destination;
}

function firstByteOf({ headers }: IncomingMessage): number {
  return Number(/bytes=(\d+)-/.exec(String(headers["x-ms-range"] ?? headers.range))?.[1] ?? 0);
}

function sendRest(from: number, response: ServerResponse, etag: string): void {
  const rest = BYTES.subarray(from);
  const contentRange = `bytes ${from}-${BYTES.byteLength - 1}/${BYTES.byteLength}`;
  response.writeHead(206, { "content-length": rest.byteLength, "content-range": contentRange, etag }).end(rest);
}

it.each(Object.keys(openers))("%s: what a store sends anew goes on where it was cut", async (kind) => {
  const destination = await opened(kind, (from, response) => sendRest(from, response, '"one"'));
  const body = await destination.get("archive", "a.tar", undefined, signal());
  expect((await buffer(body)).equals(BYTES)).toBe(true);
});

it.each(Object.keys(openers))("%s: no object is put together from two", async (kind) => {
  const destination = await opened(kind, (from, response) => sendRest(from, response, '"two"'));
  const body = await destination.get("archive", "a.tar", undefined, signal());
  expect(await failureOf(buffer(body))).toMatchObject({
    code: "not-found",
    message: expect.stringContaining("replaced"),
  });
});

it.each(Object.keys(openers))(
  "%s: a store that begins anew instead is not believed",
  { timeout: 60_000 },
  async (kind) => {
    const destination = await opened(kind, (_, response) => {
      response.writeHead(200, { "content-length": BYTES.byteLength, etag: '"one"' }).end(BYTES);
    });
    const range = { offset: 100, length: 50 };
    const body = await destination.get("archive", "a.tar", undefined, signal());
    const [whole, piece] = await Promise.all([
      failureOf(buffer(body)),
      failureOf(destination.get("archive", "a.tar", range, signal())),
    ]);
    for (const error of [whole, piece])
      expect(error).toMatchObject({ code: "invalid", message: expect.stringContaining("something else was sent") });
  },
);
