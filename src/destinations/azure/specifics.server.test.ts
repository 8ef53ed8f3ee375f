import {
  AccountSASPermissions,
  AccountSASResourceTypes,
  AccountSASServices,
  type ContainerClient,
  generateAccountSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { generatedSource } from "../../../test/conformance/generated-source.ts";
import { asArchive, asRecord, failureOf, listAll, OWNER, readAll, signal } from "../../../test/conformance/harness.ts";
import { sampleBytes, sha256 } from "../../../test/conformance/sources.ts";
import { azureEnvironment, type Azurite, startAzurite } from "../../../test/servers/azurite.ts";
import { valuesFrom } from "../../../test/servers/job-values.ts";
import type { Destination } from "../../contracts/destination.ts";
import { bufferSource } from "../buffer-source.ts";
import { createAzureDestination } from "./azure.ts";
import { azureOptionsFrom } from "./options.ts";

let server: Azurite;
let container: ContainerClient;
let name: string;
let containers = 0;

beforeAll(async () => {
  server = await startAzurite();
});
beforeEach(async () => {
  name = `specifics-${(containers += 1)}`;
  container = server.container(name);
  await container.create();
});
afterAll(() => server.stop());

async function open(more: Readonly<Record<string, string>> = {}): Promise<Destination> {
  const environment = { ...azureEnvironment(server, name, "site"), ...more };
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  return createAzureDestination(azureOptionsFrom(await valuesFrom(set)));
}

function signature(permissions: string, expiresInMs = 3_600_000): string {
  return generateAccountSASQueryParameters(
    {
      permissions: AccountSASPermissions.parse(permissions),
      protocol: SASProtocol.HttpsAndHttp,
      resourceTypes: AccountSASResourceTypes.parse("co").toString(),
      services: AccountSASServices.parse("b").toString(),
      startsOn: new Date(Date.now() - 7_200_000),
      expiresOn: new Date(Date.now() + expiresInMs),
    },
    new StorageSharedKeyCredential(server.account, server.key),
  ).toString();
}

it("a shared access signature works in place of the key and in a connection string", async () => {
  const sas = signature("rwdlac");
  const inKey = await open({ AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: `?${sas}` });
  await inKey.connect(signal());
  await inKey.put("a.tar", generatedSource(20_000_000), asArchive());
  await inKey.close();
  const inString = await open({
    AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: "",
    AZURE_STORAGE_CONNECTION_STRING: `BlobEndpoint=${server.address};SharedAccessSignature=${sas}`,
  });
  expect((await listAll(inString, "archive")).map((blob) => blob.name)).toEqual(["a.tar"]);
  await inString.remove("archive", "a.tar", signal());
  await inString.close();
});

it("a connection string with a key works", async () => {
  const destination = await open({
    AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: "",
    AZURE_STORAGE_CONNECTION_STRING: `DefaultEndpointsProtocol=http;AccountName=${server.account};AccountKey=${server.key};BlobEndpoint=${server.address};`,
  });
  await destination.put("a.tar", bufferSource(sampleBytes(10)), asArchive());
  expect(await readAll(destination, "archive", "a.tar")).toHaveLength(10);
  await destination.close();
});

it("a signature that has ended is refused with a hint, and is in no message", async () => {
  const sas = signature("rwdlac", -3_600_000);
  const destination = await open({ AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: sas });
  const error = await failureOf(destination.put("a.tar", bufferSource(sampleBytes(10)), asArchive()));
  expect(error).toMatchObject({ code: "denied", hint: expect.stringContaining("AZURE_STORAGE_") });
  expect(String(error)).not.toContain(new URLSearchParams(sas).get("sig"));
  expect(String(error)).not.toContain("sig=");
  await destination.close();
});

it("a signature that may only write delivers", async () => {
  const destination = await open({ AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: signature("wc") });
  await destination.connect(signal());
  for (const sizeBytes of [1_000, 20_000_000]) {
    const stored = await destination.put(`w-${sizeBytes}.tar`, generatedSource(sizeBytes), asArchive());
    expect(stored.sizeBytes).toBe(sizeBytes);
  }
  expect(await destination.removeLeftovers(OWNER, signal())).toBe(0);
  await destination.close();
  const all = await open();
  expect(await listAll(all, "archive")).toHaveLength(2);
  await all.close();
});

it("blobs say what they are: type, MD5, SHA-256, tier", async () => {
  const destination = await open({ AZURE_STORAGE_ACCESS_TIER: "Cool" });
  const bytes = sampleBytes(1_000);
  await destination.put("a.tar.gz", bufferSource(bytes), asArchive());
  const large = generatedSource(20_000_000);
  expect((await destination.put("large.tar.gz", large, asArchive())).verified).toBe("md5");
  await destination.put("job/run.json", bufferSource(bytes), asRecord());
  const properties = (blob: string) => container.getBlobClient(blob).getProperties();
  expect(await properties("site/a.tar.gz")).toMatchObject({
    contentType: "application/gzip",
    accessTier: "Cool",
    metadata: { sha256: sha256(bytes) },
  });
  const { contentMD5, accessTier, metadata } = await properties("site/large.tar.gz");
  expect(contentMD5).toHaveLength(16);
  expect({ accessTier, metadata }).toEqual({ accessTier: "Cool", metadata: { sha256: large.sha256 } });
  expect((await properties("site/.lifeboat/job/run.json")).accessTier).toBe("Hot");
  await destination.close();
});

it("a blob with snapshots is removed with them", async () => {
  const destination = await open();
  await destination.put("a.tar", bufferSource(sampleBytes(10)), asArchive());
  await container.getBlobClient("site/a.tar").createSnapshot();
  await destination.remove("archive", "a.tar", signal());
  expect(await listAll(destination, "archive")).toEqual([]);
  await destination.close();
});
