import { AnonymousCredential, ContainerClient, newPipeline, StorageSharedKeyCredential } from "@azure/storage-blob";
import type { Area } from "../../contracts/destination.ts";
import { DestinationError } from "../../lib/errors.ts";
import { type Attempts, createAttempts } from "../attempts.ts";
import { SMALL_CALL_MS } from "../limits.ts";
import { componentsOf, RECORD_FOLDER } from "../names.ts";
import { toAzureError } from "./errors.ts";
import { createHttpClient } from "./http-client.ts";
import { managedIdentity } from "./managed-identity.ts";
import type { AzureOptions } from "./options.ts";

/** Azure: characters of a blob's name. */
const LONGEST_NAME = 1024;

/** One container's folder, with what every method of the destination needs. */
export interface Store {
  readonly options: AzureOptions;
  readonly container: ContainerClient;
  readonly label: string;
  /** The folder as a prefix: empty, or with a slash at its end. */
  readonly prefix: string;
  /** The blob's full name; throws `invalid` for a name that does not lie plainly in the folder. */
  blobOf(area: Area, name: string): string;
  /** One call, its failure translated. */
  call<T>(attempt: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  /** A call that moves little: repeated while the service is unavailable, and bounded. */
  small<T>(
    attempt: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
    calls?: Attempts,
  ): Promise<T>;
  close(): void;
}

/** Connects to nothing until the first call. */
export function createStore(options: AzureOptions): Store {
  const { folder, redact } = options;
  const prefix = folder === "" ? "" : `${folder}/`;
  const httpClient = createHttpClient(new URL(options.address));
  const pipeline = newPipeline(credentialOf(options), {
    httpClient,
    // Our own attempts count and wait.
    retryOptions: { maxTries: 1 },
    userAgentOptions: { userAgentPrefix: "lifeboat" },
    // Ours knows the way; without this the SDK reads the environment as well, and fails at a proxy without a scheme.
    proxyOptions: { host: "http://unused.invalid", port: 1 },
  });
  const query = options.credentials.kind === "sas" ? `?${options.credentials.query}` : "";
  const address = `${options.address}/${encodeURIComponent(options.container)}${query}`;
  const store: Store = {
    options,
    container: new ContainerClient(address, pipeline),
    label: `azure:${options.container}${folder === "" ? "" : `/${folder}`}`,
    prefix,
    blobOf(area, name) {
      const path = componentsOf(area, name).join("/");
      if (path.includes("\\")) {
        throw new DestinationError(
          "invalid",
          `a blob can't have the name "${path}": Azure takes a backslash for a slash`,
          {
            hint: "change BACKUP_FILENAME",
          },
        );
      }
      const full = area === "archive" ? `${prefix}${path}` : `${prefix}${RECORD_FOLDER}/${path}`;
      if (full.length > LONGEST_NAME) {
        throw new DestinationError("invalid", `the name of a blob would be longer than ${LONGEST_NAME} characters`, {
          hint: "shorten AZURE_STORAGE_PATH or BACKUP_FILENAME",
        });
      }
      return full;
    },
    async call(attempt, signal, work) {
      signal.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        throw toAzureError(error, attempt, redact);
      }
    },
    small: (attempt, signal, work, calls = createAttempts({ signal })) =>
      calls.call(async () => {
        const limit = AbortSignal.timeout(SMALL_CALL_MS);
        return await store.call(attempt, signal, () =>
          work(AbortSignal.any([signal, limit])).catch((error: unknown) => {
            // To whoever reads an answer, the end of its time looks like a cut.
            throw limit.aborted ? limit.reason : error;
          }),
        );
      }),
    close: () => httpClient.close(),
  };
  return store;
}

function credentialOf({ credentials }: AzureOptions): Parameters<typeof newPipeline>[0] {
  switch (credentials.kind) {
    case "key":
      return new StorageSharedKeyCredential(credentials.account, credentials.key);
    case "sas":
      return new AnonymousCredential();
    case "identity":
      return managedIdentity();
  }
}
