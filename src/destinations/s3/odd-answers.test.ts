import { createServer } from "node:http";
import { expect, it, onTestFinished, vi } from "vitest";
import { generatedSource } from "../../../test/conformance/generated-source.ts";
import { asArchive, failureOf, listAll } from "../../../test/conformance/harness.ts";
import { openS3 } from "../../../test/conformance/s3-store.ts";
import { refusal, type S3Fake, type S3FakeOptions, startS3Fake } from "../../../test/servers/s3-fake.ts";
import type { Destination } from "../../contracts/destination.ts";

const SIZE_BYTES = 9_000_000;
const NAME = "a.tar";

const KEYS = { AWS_ACCESS_KEY_ID: "AKIDAKID", AWS_SECRET_ACCESS_KEY: "secretsecret" };

async function openedAt(
  options: S3FakeOptions,
  credentials: Readonly<Record<string, string>> = KEYS,
  { isProxy = false } = {},
): Promise<{ readonly store: S3Fake; readonly destination: Destination }> {
  const store = await startS3Fake(options);
  onTestFinished(() => store.close());
  // A proxy is asked with the whole address, which the fake takes as well.
  if (isProxy) vi.stubEnv("HTTP_PROXY", `127.0.0.1:${store.port}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const destination = await openS3({
    AWS_S3_BUCKET_NAME: "b",
    AWS_ENDPOINT: isProxy ? "store.invalid" : `127.0.0.1:${store.port}`,
    AWS_ENDPOINT_PROTO: "http",
    ...credentials,
  });
  onTestFinished(() => destination.close());
  return { store, destination };
}

/** Does something the first time only. */
function once<T>(work: () => T): () => T | undefined {
  let isDone = false;
  return () => {
    if (isDone) return undefined;
    isDone = true;
    return work();
  };
}

it.each([
  [false, "md5"],
  [true, "size"],
])(
  "an archive that appeared although its last answer was lost is stored; opaque tags: %s",
  async (isOpaque, verified) => {
    const lost = once(() => refusal(500, "InternalError"));
    const { store, destination } = await openedAt({
      hasOpaqueTags: isOpaque,
      instead: (call) => (call === "complete" ? lost() : undefined),
    });
    expect(await destination.put(NAME, generatedSource(SIZE_BYTES), asArchive())).toMatchObject({ verified });
    expect(store.calls.filter((call) => call === "complete")).toHaveLength(2);
    expect([...store.objects.keys()]).toEqual([NAME]);
  },
);

it("an older archive of the same name and size is not taken for one whose upload is gone", async () => {
  const { store, destination } = await openedAt({
    hasOpaqueTags: true,
    before(call) {
      if (call === "complete") return refusal(404, "NoSuchUpload");
      if (call !== "head") return undefined;
      return { status: 200, headers: { etag: '"opaque"', "content-length": `${SIZE_BYTES}` } };
    },
  });
  const error = await failureOf(destination.put(NAME, generatedSource(SIZE_BYTES), asArchive()));
  expect(error).toMatchObject({ code: "unavailable", message: expect.stringContaining("NoSuchUpload") });
  expect(store.uploads.size).toBe(0);
});

it("an upload that the store has lost is made anew by a second delivery", async () => {
  const gone = once(() => refusal(404, "NoSuchUpload"));
  const { store, destination } = await openedAt({ before: (call) => (call === "part" ? gone() : undefined) });
  const error = await failureOf(destination.put(NAME, generatedSource(SIZE_BYTES), asArchive()));
  expect(error).toMatchObject({
    code: "unavailable",
    isFinal: false,
    message: expect.stringContaining("NoSuchUpload"),
  });
  await destination.put(NAME, generatedSource(SIZE_BYTES), asArchive());
  expect(store.objects.get(NAME)?.bytes.byteLength).toBe(SIZE_BYTES);
});

it.each([400, 405])("a store that vouched for every byte and then refuses a look (%i) is believed", async (status) => {
  const { destination } = await openedAt({ before: (call) => (call === "head" ? { status } : undefined) });
  expect(await destination.put(NAME, generatedSource(SIZE_BYTES), asArchive())).toMatchObject({ verified: "md5" });
});

it.each(["head", "delete"] as const)(
  "an archive that is there is stored, also where the run is stopped at its %s",
  { timeout: 10_000 },
  async (at) => {
    const stop = new AbortController();
    const { store, destination } = await openedAt({
      before(call) {
        if (call !== at) return undefined;
        stop.abort(new Error("stop now"));
        return "silence";
      },
    });
    const options = { ...asArchive(), signal: stop.signal };
    expect(await destination.put(NAME, generatedSource(SIZE_BYTES), options)).toMatchObject({ verified: "md5" });
    expect(store.objects.has(NAME)).toBe(true);
  },
);

it("a size that is not told is no reason to remove an archive", async () => {
  const { store, destination } = await openedAt({
    instead: (call, { headers }) =>
      call === "head" ? { status: 200, headers: { etag: headers?.["etag"] ?? "" } } : undefined,
  });
  expect(await destination.put(NAME, generatedSource(SIZE_BYTES), asArchive())).toMatchObject({ verified: "md5" });
  expect(store.objects.has(NAME)).toBe(true);
});

it("being told in yet other words to go slower is obeyed", async () => {
  const busy = once(() => refusal(400, "ThrottlingException"));
  const { store, destination } = await openedAt({ before: (call) => (call === "part" ? busy() : undefined) });
  await destination.put(NAME, generatedSource(SIZE_BYTES), asArchive());
  expect(store.objects.has(NAME)).toBe(true);
});

it("the mark of an upload is removed in spite of a busy store", async () => {
  const busy = once(() => refusal(503, "SlowDown"));
  const { store, destination } = await openedAt({ before: (call) => (call === "delete" ? busy() : undefined) });
  await destination.put(NAME, generatedSource(SIZE_BYTES), asArchive());
  expect([...store.objects.keys()]).toEqual([NAME]);
});

it("an archive without a time is not taken for a very old one", async () => {
  const entry = "<Contents><Key>a.tar</Key><Size>1</Size></Contents>";
  const { destination } = await openedAt({
    before: (call) =>
      call === "list"
        ? { status: 200, body: `<ListBucketResult><Name>b</Name>${entry}</ListBucketResult>` }
        : undefined,
  });
  const [found] = await listAll(destination, "archive");
  expect(Math.abs((found?.storedAt ?? 0) - Date.now())).toBeLessThan(60_000);
});

it("a clock that is two hours off is no reason to fail", async () => {
  const { store, destination } = await openedAt({
    before(_, { headers }) {
      const theirs = Date.now() + 7_200_000;
      const [, y, m, d, h, min] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)/.exec(String(headers["x-amz-date"])) ?? [];
      if (Math.abs(Date.parse(`${y}-${m}-${d}T${h}:${min}:00Z`) - theirs) < 900_000) return undefined;
      return { ...refusal(403, "RequestTimeTooSkewed"), headers: { date: new Date(theirs).toUTCString() } };
    },
  });
  await destination.put(NAME, generatedSource(SIZE_BYTES), asArchive());
  expect([...store.objects.keys()]).toEqual([NAME]);
});

it("a store may lie behind a proxy", async () => {
  const { store, destination } = await openedAt({}, KEYS, { isProxy: true });
  expect(destination.endpoint).toBeUndefined();
  await destination.put(NAME, generatedSource(SIZE_BYTES), asArchive());
  expect([...store.objects.keys()]).toEqual([NAME]);
});

it("an upload whose beginning was answered by an error leaves its mark for the next run", async () => {
  const lost = once(() => refusal(500, "InternalError"));
  const { store, destination } = await openedAt({ instead: (call) => (call === "create" ? lost() : undefined) });
  await destination.put(NAME, generatedSource(SIZE_BYTES), asArchive());
  const [mark, ...archives] = [...store.objects.keys()];
  expect(mark).toMatch(/^\.lifeboat\/uploads\/\.a\.tar\.lb1-.*\.partial$/);
  expect(archives).toEqual([NAME]);
});

it("what a store repeats of a role's credentials is not shown", async () => {
  const keys = { AccessKeyId: "AKIDROLE", SecretAccessKey: "secretsecret", Token: "tokentoken" };
  const service = createServer((_, response) => void response.end(JSON.stringify(keys)));
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void service.close());
  const address = service.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const { destination } = await openedAt(
    {
      instead: (call, _, { headers }) =>
        call === "create"
          ? { status: 403, body: `<html>${String(headers["x-amz-security-token"])} ${String(headers.authorization)}` }
          : undefined,
    },
    { AWS_IAM_ROLE_ENDPOINT: `http://127.0.0.1:${port}/task` },
  );
  const error = await failureOf(destination.put(NAME, generatedSource(SIZE_BYTES), asArchive()));
  expect(String(error)).toContain("***");
  expect(String(error)).not.toMatch(/tokentoken|AKIDROLE/);
});
