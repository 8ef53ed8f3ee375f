import type { Destination } from "../../contracts/destination.ts";
import { DestinationError } from "../../lib/errors.ts";
import { printablePath } from "../../lib/printable.ts";
import { endpointOf } from "../proxy.ts";
import { wordOf } from "./errors.ts";
import { listArea } from "./listing.ts";
import type { AzureOptions } from "./options.ts";
import { openBlob } from "./reading.ts";
import { createStore, type Store } from "./store.ts";
import { upload } from "./upload.ts";

/** A folder of a container as a destination. Failures are `DestinationError`s; see each method's contract. */
export function createAzureDestination(options: AzureOptions): Destination {
  const store = createStore(options);
  const address = new URL(options.address);
  return {
    kind: "azure",
    label: store.label,
    ...endpointOf(address),
    connect: (signal) => probe(store, signal),
    put: (name, body, putOptions) => upload(store, name, body, putOptions),
    list: (area, signal) => listArea(store, area, signal),
    get: (area, name, range, signal) => openBlob(store, area, name, range, signal),
    async remove(area, name, signal) {
      const blob = store.container.getBlobClient(store.blobOf(area, name));
      const attempt = `cannot remove ${printablePath(name)} from ${store.label}`;
      try {
        await store.small(attempt, signal, (abortSignal) => blob.delete({ deleteSnapshots: "include", abortSignal }));
      } catch (error) {
        const isMissing = error instanceof DestinationError && error.code === "not-found";
        if (!isMissing || wordOf(error.cause) === "ContainerNotFound") throw error;
      }
    },
    // Blocks that were never committed can't be removed without showing an empty blob; the service drops them after a week.
    removeLeftovers: async () => 0,
    async close() {
      store.close();
    },
  };
}

/** A page of the listing. A known identity that may only write is good practice. */
async function probe(store: Store, signal: AbortSignal): Promise<void> {
  try {
    for await (const _ of listArea(store, "archive", signal, 1)) return;
  } catch (error) {
    const mayOnlyWrite = error instanceof DestinationError && wordOf(error.cause) === "AuthorizationPermissionMismatch";
    if (!mayOnlyWrite) throw error;
  }
}
