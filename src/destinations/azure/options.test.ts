import { describe, expect, it } from "vitest";
import { valuesFrom } from "../../../test/servers/job-values.ts";
import { createValues } from "../../config/values.ts";
import { azureOptionsFrom } from "./options.ts";
import { azureSettings } from "./settings.ts";

const BASE = { AZURE_STORAGE_ACCOUNT_NAME: "shop", AZURE_STORAGE_CONTAINER_NAME: "backups" };
const SAS = "sv=2024-11-04&ss=b&srt=co&sp=rwdl&sig=abc%2Bdef%3D";

const options = async (environment: Record<string, string>) =>
  azureOptionsFrom(await valuesFrom({ ...BASE, ...environment }));

describe("the address", () => {
  it.each([
    ["https://{{ .AccountName }}.blob.core.windows.net/", "https://shop.blob.core.windows.net"],
    ["https://{{.AccountName}}.blob.core.chinacloudapi.cn", "https://shop.blob.core.chinacloudapi.cn"],
    ["http://127.0.0.1:10000/{{- .AccountName -}}/", "http://127.0.0.1:10000/shop"],
    ["https://blobs.example.com", "https://blobs.example.com"],
  ])("%s", async (endpoint, address) => {
    const given = { AZURE_STORAGE_ENDPOINT: endpoint, AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: "a2V5" };
    expect((await options(given)).address).toBe(address);
  });
});

describe("credentials", () => {
  it("are the account's key, a signature in its place, or the managed identity", async () => {
    expect((await options({ AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: "a2V5" })).credentials).toEqual({
      kind: "key",
      account: "shop",
      key: "a2V5",
    });
    for (const mark of ["", "?"]) {
      const { credentials, redact } = await options({ AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: `${mark}${SAS}` });
      expect(credentials).toEqual({ kind: "sas", query: SAS });
      expect(redact("sig abc+def= end")).toBe("sig *** end");
    }
    expect((await options({})).credentials).toEqual({ kind: "identity" });
  });

  it.each([
    [
      "DefaultEndpointsProtocol=https;AccountName=other;AccountKey=a2V5PT0=;EndpointSuffix=core.windows.net",
      {
        address: "https://other.blob.core.windows.net",
        credentials: { kind: "key", account: "other", key: "a2V5PT0=" },
      },
    ],
    [
      `BlobEndpoint=https://other.blob.core.windows.net/;SharedAccessSignature=${SAS}`,
      { address: "https://other.blob.core.windows.net", credentials: { kind: "sas", query: SAS } },
    ],
    [
      `https://other.blob.core.windows.net/?${SAS}`,
      { address: "https://other.blob.core.windows.net", credentials: { kind: "sas", query: SAS } },
    ],
    // What the portal gives for one container.
    [
      `https://other.blob.core.windows.net/backups?${SAS}`,
      { address: "https://other.blob.core.windows.net", credentials: { kind: "sas", query: SAS } },
    ],
    [
      `BlobEndpoint=https://other.blob.core.windows.net?${SAS}`,
      { address: "https://other.blob.core.windows.net", credentials: { kind: "sas", query: SAS } },
    ],
    ["UseDevelopmentStorage=true", { address: "http://127.0.0.1:10000/devstoreaccount1" }],
    [
      "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://azurite",
      { address: "http://azurite:10000/devstoreaccount1" },
    ],
  ])("come from a connection string: %s", async (connectionString, expected) => {
    expect(await options({ AZURE_STORAGE_CONNECTION_STRING: connectionString })).toMatchObject(expected);
  });

  it.each(["garbage", "DefaultEndpointsProtocol=https;AccountName=a", `https://other.blob.core.windows.net/`])(
    "come from no text that holds none, and then nothing else is tried: %s",
    async (text) => {
      const opened = options({ AZURE_STORAGE_CONNECTION_STRING: text });
      await expect(opened).rejects.toMatchObject({ code: "invalid", message: expect.stringContaining("AccountKey") });
    },
  );

  it("are refused before anything is sent where the address is none, or a token would go unencrypted", async () => {
    const text = "AccountName=a;AccountKey=a2V5;BlobEndpoint=not an address";
    await expect(options({ AZURE_STORAGE_CONNECTION_STRING: text })).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringContaining("AZURE_STORAGE_CONNECTION_STRING"),
    });
    await expect(options({ AZURE_STORAGE_ENDPOINT: "http://azurite:10000/a" })).rejects.toMatchObject({
      code: "invalid",
      hint: expect.stringContaining("AZURE_STORAGE_ENDPOINT"),
    });
  });

  it("a key and a connection string at the same time are an error", async () => {
    await expect(
      options({ AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: "a", AZURE_STORAGE_CONNECTION_STRING: "b" }),
    ).rejects.toThrow("keep one");
  });
});

it("a wrong tier is an error that lists the right ones", async () => {
  await expect(options({ AZURE_STORAGE_ACCESS_TIER: "cool" })).rejects.toThrow(/Archive.*Cold.*Cool.*Hot/);
  expect((await options({ AZURE_STORAGE_ACCESS_TIER: "Cool" })).tier).toBe("Cool");
});

it("a connection string without the account's name is said to be without use", () => {
  const rules = (raw: Record<string, string>) => azureSettings.rules?.(createValues(raw)) ?? [];
  const connection = { AZURE_STORAGE_CONNECTION_STRING: "AccountName=shop;AccountKey=a2V5" };
  expect(rules(connection)).toEqual([
    {
      key: "AZURE_STORAGE_CONNECTION_STRING",
      severity: "warning",
      message: "is not used: only AZURE_STORAGE_ACCOUNT_NAME switches Azure on",
    },
  ]);
  expect(rules({ ...BASE, ...connection })).toEqual([]);
  expect(rules({})).toEqual([]);
});
