import { createServer } from "node:http";
import { CreateMultipartUploadCommand, HeadObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { generatedSource } from "../../../test/conformance/generated-source.ts";
import { asArchive, asRecord, failureOf, listAll, OWNER, signal } from "../../../test/conformance/harness.ts";
import { openS3 } from "../../../test/conformance/s3-store.ts";
import { brokenSource, sampleBytes, sha256 } from "../../../test/conformance/sources.ts";
import { startHttpFaults } from "../../../test/faults/http-faults.ts";
import { startFaultProxy } from "../../../test/faults/proxy.ts";
import { valuesFrom } from "../../../test/servers/job-values.ts";
import {
  everythingIn,
  makeBucket,
  plainClient,
  s3Environment,
  type S3Server,
} from "../../../test/servers/s3-server.ts";
import { startVersitygw } from "../../../test/servers/versitygw.ts";
import { bufferSource } from "../buffer-source.ts";
import type { ArchiveSource } from "../../contracts/archive.ts";
import { createConnection } from "./client.ts";
import { removeUnfinished } from "./leftovers.ts";
import { s3OptionsFrom } from "./options.ts";
import { createS3Destination } from "./s3.ts";
import { createStore } from "./store.ts";

let server: S3Server;
let client: S3Client;
let bucket: string;
let buckets = 0;

beforeAll(async () => {
  server = await startVersitygw({ region: "eu-moon-1" });
  client = plainClient(server, "eu-moon-1");
});
beforeEach(async () => {
  bucket = `specifics-${(buckets += 1)}`;
  await makeBucket(client, bucket);
});
afterAll(async () => {
  client.destroy();
  await server.stop();
});

const environment = (more: Record<string, string> = {}): Record<string, string> => ({
  ...s3Environment(server, bucket, "site"),
  ...more,
});

describe("the region", () => {
  it("is the one that the store names, where the user named none", async () => {
    const destination = await openS3(environment());
    await destination.connect(signal());
    await destination.put("a.tar", bufferSource(sampleBytes(10)), asArchive());
    expect(await listAll(destination, "archive")).toHaveLength(1);
    await destination.close();
  });

  it("is the user's, where there is one; the error then says which it should be", async () => {
    const right = await openS3(environment({ AWS_REGION: "eu-moon-1" }));
    await right.connect(signal());
    await right.close();
    const wrong = await openS3(environment({ AWS_REGION: "mars-1" }));
    const error = await failureOf(wrong.connect(signal()));
    expect(error).toMatchObject({ code: "denied", hint: "set AWS_REGION to eu-moon-1" });
    await wrong.close();
  });
});

it("the process's own AWS variables change nothing where the job names keys", async () => {
  for (const [key, value] of Object.entries({
    AWS_ACCESS_KEY_ID: "process",
    AWS_SECRET_ACCESS_KEY: "process",
    AWS_SESSION_TOKEN: "process",
    AWS_REGION: "process-1",
    AWS_DEFAULT_REGION: "process-1",
    AWS_ENDPOINT_URL: "http://127.0.0.1:1",
    AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1",
    AWS_USE_DUALSTACK_ENDPOINT: "true",
    AWS_USE_FIPS_ENDPOINT: "true",
    AWS_MAX_ATTEMPTS: "9",
    AWS_REQUEST_CHECKSUM_CALCULATION: "when_supported",
  }))
    vi.stubEnv(key, value);
  const destination = await openS3(environment());
  const stored = await destination.put("a.tar", bufferSource(sampleBytes(10)), asArchive());
  expect(stored.verified).toBe("md5");
  await destination.close();
});

describe("credentials of a role", () => {
  it("come from AWS_IAM_ROLE_ENDPOINT, and stay out of the process's environment", async () => {
    const service = createServer((request, response) => {
      const { accessKeyId, secretAccessKey } = server;
      if (request.method === "PUT") response.end("session");
      else if (request.url?.endsWith("/") === true) response.end("role");
      else response.end(JSON.stringify({ AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey }));
    });
    await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void service.close());
    const address = service.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...rest } = environment();
    const before = { ...process.env };
    const destination = await openS3({ ...rest, AWS_IAM_ROLE_ENDPOINT: `http://127.0.0.1:${address.port}` });
    await destination.put("a.tar", bufferSource(sampleBytes(10)), asArchive());
    expect(process.env).toEqual(before);
    await destination.close();
  });

  it("come from the SDK's own chain where nothing is set", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", server.accessKeyId);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", server.secretAccessKey);
    const options = s3OptionsFrom(await valuesFrom(environment()));
    const destination = createS3Destination({ ...options, credentials: { kind: "default-chain" } });
    await destination.put("a.tar", bufferSource(sampleBytes(10)), asArchive());
    await destination.close();
  });
});

it("a CRC32 of the whole object is kept by stores that can, in one part and in several", async () => {
  const options = s3OptionsFrom(await valuesFrom(environment({ AWS_PART_SIZE: "5" })));
  const destination = createS3Destination({ ...options, usesCrc32: true });
  for (const sizeBytes of [1_000, 12_000_000]) {
    const name = `crc-${sizeBytes}.tar`;
    const stored = await destination.put(name, generatedSource(sizeBytes), asArchive());
    expect(stored.verified).toBe("md5");
    const head = await client.send(
      new HeadObjectCommand({ Bucket: bucket, Key: `site/${name}`, ChecksumMode: "ENABLED" }),
    );
    expect(head).toMatchObject({ ChecksumType: "FULL_OBJECT", ChecksumCRC32: expect.stringMatching(/^.{6}==$/) });
  }
  await destination.close();
});

it("objects say what they are: type, SHA-256", async () => {
  const destination = await openS3(environment());
  const bytes = sampleBytes(1_000);
  await destination.put("a.tar.gz", bufferSource(bytes), asArchive());
  await destination.put("job/run.json", bufferSource(bytes), asRecord());
  const [archive, record] = await Promise.all(
    ["site/a.tar.gz", "site/.lifeboat/job/run.json"].map((Key) =>
      client.send(new HeadObjectCommand({ Bucket: bucket, Key })),
    ),
  );
  expect(archive).toMatchObject({ ContentType: "application/gzip", Metadata: { sha256: sha256(bytes) } });
  expect(record?.ContentType).toBe("application/json");
  await destination.close();
});

it("a key that may only write delivers, connects, and complains of nothing", async () => {
  const denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
  const faults = await startHttpFaults(Number(server.host.split(":")[1]), [
    { status: 403, times: 9_999, methods: ["GET", "HEAD", "DELETE"], body: denied },
  ]);
  onTestFinished(() => faults.close());
  const destination = await openS3(
    environment({ AWS_ENDPOINT: `127.0.0.1:${faults.port}`, AWS_REGION: "eu-moon-1", AWS_PART_SIZE: "5" }),
  );
  await destination.connect(signal());
  for (const sizeBytes of [1_000, 12_000_000]) {
    const stored = await destination.put(`w-${sizeBytes}.tar`, generatedSource(sizeBytes), asArchive());
    expect(stored).toMatchObject({ sizeBytes, verified: "md5" });
  }
  expect(await destination.removeLeftovers(OWNER, signal())).toBe(0);
  await destination.close();
});

it("unfinished uploads of nobody go after seven days, if their names are Lifeboat's", async () => {
  const names = [
    "site/old.tar.gz",
    "site/.lifeboat/old.tar.index",
    "site/foreign.bin",
    "site/sub/other.tar.gz",
    "site2/a.tar.gz",
  ];
  for (const Key of names) await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
  const options = s3OptionsFrom(await valuesFrom(environment()));
  const store = createStore(options, createConnection(options));
  const days = (count: number): number => Date.now() + count * 86_400_000;
  expect(await removeUnfinished(store, OWNER, signal(), days(6.9))).toBe(0);
  expect(await removeUnfinished(store, OWNER, signal(), days(7.1))).toBe(2);
  expect((await everythingIn(client, bucket, "")).toSorted()).toEqual(
    ["upload site/foreign.bin", "upload site/sub/other.tar.gz", "upload site2/a.tar.gz"].toSorted(),
  );
  store.connection.close();
});

it("what other tools put beside the archives is neither listed nor in the way", async () => {
  for (const Key of ["site/", "site/sub/", "site/sub/x.tar", "site/.hidden", "site/note.txt"])
    await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: Buffer.alloc(0) }));
  const destination = await openS3(environment());
  await destination.put("a.tar", bufferSource(sampleBytes(10)), asArchive());
  expect((await listAll(destination, "archive")).map(({ name }) => name)).toEqual(["a.tar", "note.txt"]);
  await destination.close();
});

it("an upload whose beginning the store still has to confirm when the source fails is aborted, too", async () => {
  const proxy = await startFaultProxy({
    port: Number(server.host.split(":")[1]),
    fault: { kind: "latency", eachWayMs: 150 },
  });
  onTestFinished(() => proxy.close());
  const destination = await openS3(environment({ AWS_ENDPOINT: `127.0.0.1:${proxy.port}` }));
  const left = (): Promise<string[]> => everythingIn(client, bucket, "site/");
  const body: ArchiveSource = {
    ...brokenSource(0, new Error("engine broke")),
    async *read() {
      yield sampleBytes(9_000_000);
      // It has begun there, and the answer is on its way.
      await expect.poll(left, { interval: 10, timeout: 10_000 }).toEqual([expect.stringMatching(/^upload /)]);
      throw new Error("engine broke");
    },
  };
  expect(await failureOf(destination.put("a.tar", body, asArchive()))).toHaveProperty("message", "engine broke");
  expect(await left()).toEqual([]);
  await destination.close();
});
