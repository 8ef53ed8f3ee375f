import { expect, it, onTestFinished, vi } from "vitest";
import { type AzureFake, type AzureFakeOptions, refusal, startAzureFake } from "../../../test/servers/azure-fake.ts";
import { generatedSource } from "../../../test/conformance/generated-source.ts";
import { asArchive, failureOf, listAll } from "../../../test/conformance/harness.ts";
import { valuesFrom } from "../../../test/servers/job-values.ts";
import type { Destination } from "../../contracts/destination.ts";
import { createAzureDestination } from "./azure.ts";
import { azureOptionsFrom } from "./options.ts";

const SIZE_BYTES = 9_000_000;
const NAME = "a.tar";

async function openedWith(endpoint: string): Promise<Destination> {
  const values = await valuesFrom({
    AZURE_STORAGE_ACCOUNT_NAME: "shop",
    AZURE_STORAGE_CONTAINER_NAME: "backups",
    AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: "a2V5",
    AZURE_STORAGE_ENDPOINT: endpoint,
  });
  const destination = createAzureDestination(azureOptionsFrom(values));
  onTestFinished(() => destination.close());
  return destination;
}

async function openedAt(
  options: AzureFakeOptions,
): Promise<{ readonly service: AzureFake; readonly destination: Destination }> {
  const service = await startAzureFake(options);
  onTestFinished(() => service.close());
  return { service, destination: await openedWith(`http://127.0.0.1:${service.port}/{{ .AccountName }}`) };
}

it("an archive that appeared although its last answer was lost, and its blocks are gone, is stored", async () => {
  let commits = 0;
  const { service, destination } = await openedAt({
    instead: (call) => (call === "commit" && (commits += 1) === 1 ? refusal(500, "OperationTimedOut") : undefined),
  });
  expect(await destination.put(NAME, generatedSource(SIZE_BYTES), asArchive())).toMatchObject({ verified: "md5" });
  expect(service.blobs.get(NAME)?.byteLength).toBe(SIZE_BYTES);
});

it("another content of the same name and size is not taken for it", { timeout: 60_000 }, async () => {
  const headers = { "content-length": `${SIZE_BYTES}`, "content-md5": Buffer.alloc(16).toString("base64") };
  const { destination } = await openedAt({
    before(call) {
      if (call === "commit") return refusal(400, "InvalidBlockList");
      return call === "head" ? { status: 200, headers } : undefined;
    },
  });
  const error = await failureOf(destination.put(NAME, generatedSource(SIZE_BYTES), asArchive()));
  expect(error).toMatchObject({ code: "unavailable", message: expect.stringContaining("InvalidBlockList") });
});

it("a block of which the service has seen other bytes is sent again", async () => {
  let blocks = 0;
  const wrong = { status: 201, headers: { "content-md5": Buffer.alloc(16).toString("base64") } };
  const { service, destination } = await openedAt({
    instead: (call) => (call === "block" && (blocks += 1) === 1 ? wrong : undefined),
  });
  await destination.put(NAME, generatedSource(SIZE_BYTES), asArchive());
  expect(service.calls.filter((call) => call === "block")).toHaveLength(3);
});

it.each([400, 403, 405])(
  "a service that vouched for every block and then refuses a look (%i) is believed",
  async (status) => {
    const { destination } = await openedAt({ before: (call) => (call === "head" ? { status } : undefined) });
    expect(await destination.put(NAME, generatedSource(SIZE_BYTES), asArchive())).toMatchObject({ verified: "md5" });
  },
);

it("an archive that is there is stored, also where the run is stopped before it was looked at", async () => {
  const stop = new AbortController();
  const { service, destination } = await openedAt({
    before(call) {
      if (call !== "head") return undefined;
      stop.abort(new Error("stop now"));
      return "silence";
    },
  });
  const options = { ...asArchive(), signal: stop.signal };
  expect(await destination.put(NAME, generatedSource(SIZE_BYTES), options)).toMatchObject({ verified: "md5" });
  expect(service.blobs.has(NAME)).toBe(true);
});

it.each([
  [400, "InvalidHeaderValue", "<HeaderName>x-ms-access-tier</HeaderName>", "invalid", "AZURE_STORAGE_ACCESS_TIER"],
  [400, "InvalidBlobOrBlock", "", "invalid", "BACKUP_FILENAME"],
  [
    403,
    "AuthenticationFailed",
    "<AuthenticationErrorDetail>expired</AuthenticationErrorDetail>",
    "denied",
    "signature",
  ],
])("%i %s %s says what to do", async (status, word, more, code, named) => {
  const { destination } = await openedAt({
    before: (call) => (call === "block" ? refusal(status, word, more) : undefined),
  });
  const error = await failureOf(destination.put(NAME, generatedSource(SIZE_BYTES), asArchive()));
  expect(error).toMatchObject({ code, hint: expect.stringContaining(named) });
  if (more.includes("expired")) expect(String(error)).toContain("expired");
});

it("an archive without a time is not taken for a very old one", async () => {
  const blob = "<Blob><Name>a.tar</Name><Properties><Content-Length>1</Content-Length></Properties></Blob>";
  const body = `<EnumerationResults><Blobs>${blob}</Blobs><NextMarker/></EnumerationResults>`;
  const { destination } = await openedAt({
    before: () => ({ status: 200, headers: { "content-type": "application/xml" }, body }),
  });
  const [found] = await listAll(destination, "archive");
  expect(Math.abs((found?.storedAt ?? 0) - Date.now())).toBeLessThan(60_000);
});

it("a size that is not told is no reason to remove an archive", async () => {
  let sum = "";
  const { service, destination } = await openedAt({
    before(call, { headers }) {
      if (call === "commit") sum = String(headers["x-ms-blob-content-md5"]);
      return call === "head" ? { status: 200, headers: { "content-md5": sum } } : undefined;
    },
  });
  expect(await destination.put(NAME, generatedSource(SIZE_BYTES), asArchive())).toMatchObject({ verified: "md5" });
  expect(service.blobs.has(NAME)).toBe(true);
});

it("a service may lie behind a proxy", async () => {
  const service = await startAzureFake();
  onTestFinished(() => service.close());
  // A proxy is asked with the whole address, which the fake takes as well.
  vi.stubEnv("HTTP_PROXY", `127.0.0.1:${service.port}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const destination = await openedWith("http://service.invalid/{{ .AccountName }}");
  expect(destination.endpoint).toBeUndefined();
  await destination.put(NAME, generatedSource(SIZE_BYTES), asArchive());
  expect([...service.blobs.keys()]).toEqual([NAME]);
});
