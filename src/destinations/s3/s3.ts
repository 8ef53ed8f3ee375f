import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import type { Destination } from "../../contracts/destination.ts";
import { DestinationError } from "../../lib/errors.ts";
import { printablePath } from "../../lib/printable.ts";
import { endpointOf } from "../proxy.ts";
import { createConnection } from "./client.ts";
import { addressOf } from "./endpoint.ts";
import { isRefusal } from "./errors.ts";
import { removeUnfinished } from "./leftovers.ts";
import { listArea } from "./listing.ts";
import type { S3Options } from "./options.ts";
import { probe } from "./probe.ts";
import { openObject } from "./reading.ts";
import { createStore } from "./store.ts";
import { upload } from "./upload.ts";

/** A folder of a bucket as a destination. Failures are `DestinationError`s; see each method's contract. */
export function createS3Destination(options: S3Options): Destination {
  const connection = createConnection(options);
  const store = createStore(options, connection);
  const address = new URL(addressOf(options.host, options.isHttps, options.region.name));
  return {
    kind: "s3",
    label: store.label,
    ...endpointOf(address),
    connect: (signal) => probe(store, `cannot use ${store.label}`, signal),
    put: (name, body, putOptions) => upload(store, name, body, putOptions),
    list: (area, signal) => listArea(store, area, signal),
    get: (area, name, range, signal) => openObject(store, area, name, range, signal),
    async remove(area, name, signal) {
      const command = new DeleteObjectCommand({ Bucket: options.bucket, Key: store.keyOf(area, name) });
      const attempt = `cannot remove ${printablePath(name)} from ${store.label}`;
      try {
        await store.small(attempt, signal, (abortSignal) =>
          connection.run((client) => client.send(command, { abortSignal })),
        );
      } catch (error) {
        // Amazon says that removing what is missing is fine; others say that it is missing.
        const isMissing = error instanceof DestinationError && error.code === "not-found";
        if (!isMissing || isRefusal(error.cause, "NoSuchBucket")) throw error;
      }
    },
    removeLeftovers: (owner, signal) => removeUnfinished(store, owner, signal),
    async close() {
      connection.close();
    },
  };
}
