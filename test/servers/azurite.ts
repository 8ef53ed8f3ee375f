import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ContainerClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { freePort, serversFolder, startProgram } from "./program.ts";

/** The emulator's published account. */
const ACCOUNT = "devstoreaccount1";
const KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

export interface Azurite {
  readonly port: number;
  readonly account: string;
  readonly key: string;
  /** With the account as its path. */
  readonly address: string;
  /** The SDK as it is, to look at the store without the code under test. */
  container(name: string): ContainerClient;
  stop(): Promise<void>;
}

/** Microsoft's emulator of the blob service on 127.0.0.1, with no container. `data`: where it keeps what it stores. */
export async function startAzurite(data?: string): Promise<Azurite> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "lifeboat-azurite-"));
  const program = await startProgram({
    command: process.execPath,
    args: [
      join(serversFolder(), "azurite/node_modules/azurite/dist/src/blob/main.js"),
      ...`--blobHost 127.0.0.1 --blobPort ${port} --location ${data ?? folder} --silent --skipApiVersionCheck`.split(
        " ",
      ),
    ],
    port,
  });
  const address = `http://127.0.0.1:${port}/${ACCOUNT}`;
  return {
    port,
    account: ACCOUNT,
    key: KEY,
    address,
    container: (name) => new ContainerClient(`${address}/${name}`, new StorageSharedKeyCredential(ACCOUNT, KEY)),
    async stop() {
      await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The settings that lead to a container of this server. */
export function azureEnvironment(server: Azurite, container: string, path = ""): Record<string, string> {
  return {
    AZURE_STORAGE_ACCOUNT_NAME: server.account,
    AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: server.key,
    AZURE_STORAGE_CONTAINER_NAME: container,
    AZURE_STORAGE_PATH: path,
    AZURE_STORAGE_ENDPOINT: `http://127.0.0.1:${server.port}/{{ .AccountName }}/`,
  };
}
