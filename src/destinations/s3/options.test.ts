import { describe, expect, it } from "vitest";
import { valuesFrom } from "../../../test/servers/job-values.ts";
import { s3OptionsFrom } from "./options.ts";

const options = async (environment: Record<string, string>) =>
  s3OptionsFrom(await valuesFrom({ AWS_S3_BUCKET_NAME: "b", ...environment }));

describe("the folder", () => {
  it.each([
    ["", ""],
    ["/", ""],
    ["site", "site"],
    ["/site/", "site"],
    ["a//b/", "a/b"],
    ["./a/../b", "b"],
    ["../../x", "x"],
    ["  a b ", "a b"],
  ])("%j is %j", async (path, folder) => {
    expect((await options({ AWS_S3_PATH: path })).folder).toBe(folder);
  });
});

describe("credentials", () => {
  it("are the keys, with the session token", async () => {
    const { credentials, redact } = await options({
      AWS_ACCESS_KEY_ID: "AKIDAKID",
      AWS_SECRET_ACCESS_KEY: "secretsecret",
      AWS_SESSION_TOKEN: "tokentoken",
      AWS_IAM_ROLE_ENDPOINT: "http://169.254.169.254",
    });
    expect(credentials).toEqual({
      kind: "keys",
      accessKeyId: "AKIDAKID",
      secretAccessKey: "secretsecret",
      sessionToken: "tokentoken",
    });
    expect(redact("AKIDAKID secretsecret tokentoken")).toBe("*** *** ***");
  });

  it("are the role's, else what the SDK finds", async () => {
    expect((await options({ AWS_IAM_ROLE_ENDPOINT: "http://169.254.169.254" })).credentials).toEqual({
      kind: "role",
      endpoint: "http://169.254.169.254",
    });
    expect((await options({})).credentials).toEqual({ kind: "default-chain" });
  });
});

it("path style is the default but for Amazon", async () => {
  expect((await options({})).isPathStyle).toBe(false);
  expect((await options({ AWS_ENDPOINT: "minio:9000" })).isPathStyle).toBe(true);
  expect((await options({ AWS_FORCE_PATH_STYLE: "true" })).isPathStyle).toBe(true);
  expect((await options({ AWS_ENDPOINT: "oss.example.com", AWS_FORCE_PATH_STYLE: "false" })).isPathStyle).toBe(false);
});

it("sizes, classes and encryption are passed on", async () => {
  expect(
    await options({
      AWS_PART_SIZE: "64",
      AWS_STORAGE_CLASS: "STANDARD_IA",
      AWS_SSE: "aws:kms",
      AWS_SSE_KMS_KEY_ID: "key-id",
    }),
  ).toMatchObject({ partBytes: 64 * 1024 * 1024, storageClass: "STANDARD_IA", sse: "aws:kms", sseKmsKeyId: "key-id" });
  expect(await options({ AWS_PART_SIZE: "0" })).not.toHaveProperty("partBytes");
});

it.each([
  ["AWS_ENDPOINT", "my host"],
  ["AWS_ENDPOINT", "https://s3.example.com"],
  ["AWS_ENDPOINT", "s3.example.com:port"],
  ["AWS_ENDPOINT", "key@s3.example.com"],
  ["AWS_S3_BUCKET_NAME", "bucket/folder"],
  ["AWS_S3_BUCKET_NAME", "s3://bucket"],
])("%s=%s is a bad setting", async (key, value) => {
  await expect(options({ [key]: value })).rejects.toThrow(`${key}: must be`);
});

it.each(["s3.example.com", "s3.example.com:9000", "127.0.0.1:9000/", "[::1]:9000", "x.supabase.co/storage/v1/s3"])(
  "%s is a good endpoint",
  async (host) => {
    expect((await options({ AWS_ENDPOINT: host })).host).toBe(host.replace(/\/$/, ""));
  },
);
