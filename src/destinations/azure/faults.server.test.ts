import { afterAll, beforeAll } from "vitest";
import { testPartUploads } from "../../../test/faults/part-uploads.ts";
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

testPartUploads({
  label: "Azure Blob on Azurite",
  part: { methods: ["PUT"], path: /comp=block&/ },
  commit: { methods: ["PUT"], path: /comp=blocklist/ },
  mayLeaveParts: true,
  async create() {
    const name = `faults-${(containers += 1)}`;
    const container = server.container(name);
    await container.create();
    const environment = (port: number): Record<string, string> => ({
      ...azureEnvironment(server, name, "site"),
      AZURE_STORAGE_ENDPOINT: `http://127.0.0.1:${port}/${server.account}`,
    });
    return {
      port: server.port,
      open: (port) => open(environment(port)),
      openWrong: (port) => open({ ...environment(port), AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: "d3Jvbmcta2V5" }),
      async rawNames() {
        const names: string[] = [];
        for await (const blob of container.listBlobsFlat()) names.push(blob.name);
        return names;
      },
      async cleanUp() {
        await container.deleteIfExists();
      },
    };
  },
});
