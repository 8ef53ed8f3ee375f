import { expect, it, onTestFinished, vi } from "vitest";
import { asArchive } from "../../test/conformance/harness.ts";
import { openS3 } from "../../test/conformance/s3-store.ts";
import { refusal as azureRefusal, startAzureFake } from "../../test/servers/azure-fake.ts";
import { valuesFrom } from "../../test/servers/job-values.ts";
import { refusal as s3Refusal, startS3Fake } from "../../test/servers/s3-fake.ts";
import { createAzureDestination } from "./azure/azure.ts";
import { azureOptionsFrom } from "./azure/options.ts";
import { bufferSource } from "./buffer-source.ts";

// Nobody waits for six attempts.
vi.mock("./limits.ts", async (original) => ({ ...(await original<object>()), SILENCE_MS: 1_000 }));

const SMALL = bufferSource(Buffer.from("a small archive"));

it("S3: a small archive that is there although every answer was lost is stored", async () => {
  const store = await startS3Fake({
    instead: (call) => (call === "put" ? s3Refusal(500, "InternalError") : undefined),
  });
  onTestFinished(() => store.close());
  const destination = await openS3({
    AWS_S3_BUCKET_NAME: "b",
    AWS_ENDPOINT: `127.0.0.1:${store.port}`,
    AWS_ENDPOINT_PROTO: "http",
    AWS_ACCESS_KEY_ID: "AKIDAKID",
    AWS_SECRET_ACCESS_KEY: "secretsecret",
  });
  onTestFinished(() => destination.close());
  expect(await destination.put("a.tar", SMALL, asArchive())).toMatchObject({ verified: "md5" });
});

it("Azure: a small archive that is there although every answer was lost is stored", async () => {
  const service = await startAzureFake({
    instead: (call) => (call === "put" ? azureRefusal(500, "InternalError") : undefined),
  });
  onTestFinished(() => service.close());
  const values = await valuesFrom({
    AZURE_STORAGE_ACCOUNT_NAME: "shop",
    AZURE_STORAGE_CONTAINER_NAME: "backups",
    AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: "a2V5",
    AZURE_STORAGE_ENDPOINT: `http://127.0.0.1:${service.port}/{{ .AccountName }}`,
  });
  const destination = createAzureDestination(azureOptionsFrom(values));
  onTestFinished(() => destination.close());
  expect(await destination.put("a.tar", SMALL, asArchive())).toMatchObject({ verified: "md5" });
});
