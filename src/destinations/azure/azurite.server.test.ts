import { afterAll, beforeAll } from "vitest";
import { testDestination } from "../../../test/conformance/destination-suite.ts";
import { sampleBytes } from "../../../test/conformance/sources.ts";
import { azureEnvironment, type Azurite, startAzurite } from "../../../test/servers/azurite.ts";
import { valuesFrom } from "../../../test/servers/job-values.ts";
import type { Destination } from "../../contracts/destination.ts";
import { createAzureDestination } from "./azure.ts";
import { azureOptionsFrom } from "./options.ts";

let server: Azurite;
let containers = 0;

beforeAll(async () => {
  server = await startAzurite();
});
afterAll(() => server.stop());

async function open(environment: Readonly<Record<string, string>>): Promise<Destination> {
  return createAzureDestination(azureOptionsFrom(await valuesFrom(environment)));
}

const NO_TLS = "no setting names an authority or switches the check off: Azure's certificates need neither";

testDestination({
  label: "Azure Blob on Azurite",
  kind: "azure",
  partBytes: 8 * 1024 * 1024,
  secrets: ["Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq", "d3Jvbmcta2V5"],
  exceptions: {
    "accepts a backslash in a name": "Azure takes a backslash for a slash, so such a name is refused",
    "own leftovers go at once, a neighbour's stay, finished archives too":
      "blocks that were never committed can't be removed without showing an empty blob; Azure drops them after a week",
    "an unknown authority's certificate is accepted where the setting names the authority": NO_TLS,
    "an unknown authority's certificate is accepted where the check is switched off": NO_TLS,
    "an unknown authority's certificate is refused otherwise, with a setting to look at": NO_TLS,
  },
  async create() {
    const name = `lifeboat-${process.pid}-${(containers += 1)}`;
    const container = server.container(name);
    await container.create();
    return {
      open: (prefix) => open(azureEnvironment(server, name, prefix)),
      async rawNames(prefix) {
        const names: string[] = [];
        for await (const blob of container.listBlobsFlat({ prefix: `${prefix}/`, includeUncommitedBlobs: true }))
          names.push(blob.name);
        return names;
      },
      async plantLeftover(prefix, blob) {
        const id = Buffer.from("planted").toString("base64");
        await container.getBlockBlobClient(`${prefix}/${blob}`).stageBlock(id, sampleBytes(1_000), 1_000);
      },
      openWrong: (wrong) =>
        open(
          wrong === "credentials"
            ? { ...azureEnvironment(server, name), AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: "d3Jvbmcta2V5" }
            : azureEnvironment(server, "lifeboat-none-there"),
        ),
      async cleanUp() {
        await container.deleteIfExists();
      },
    };
  },
});
