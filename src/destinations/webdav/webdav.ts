import type { Destination, PutOptions } from "../../contracts/destination.ts";
import { DestinationError } from "../../lib/errors.ts";
import { printablePath } from "../../lib/printable.ts";
import { createAttempts } from "../attempts.ts";
import { endpointOf } from "../proxy.ts";
import { removeRemoteLeftovers } from "../remote-leftovers.ts";
import { createDavClient } from "./client.ts";
import { findPartials, listObjects } from "./listing.ts";
import type { WebdavOptions } from "./options.ts";
import { folderComponents, placeOf } from "./paths.ts";
import { createPutter } from "./putting.ts";
import { openForReading } from "./reading.ts";
import { type Asking, lookAt, removeResource, requireCollection } from "./resources.ts";

/** Calls of small work in all. */
const SMALL_ATTEMPTS = 3;

/** A folder on a WebDAV server. Nothing is connected before it is needed. */
export function createWebdavDestination(options: WebdavOptions): Destination {
  const client = createDavClient(options);
  const root = [...client.base, ...folderComponents(options.path)];
  const url = new URL(options.url);
  const label = `webdav:${url.host}/${root.join("/")}`;
  const silenceMs = options.limits?.silenceMs;
  const putInto = createPutter({ client, root, label, silenceMs });
  if (options.isInsecure === true && url.protocol === "https:")
    options.onWarning?.(`the certificate of ${url.host} is not checked, since WEBDAV_URL_INSECURE is set`);

  /** Small work that can simply be done again. */
  const call = <T>(attempt: string, signal: AbortSignal, work: (asking: Asking) => Promise<T>): Promise<T> =>
    createAttempts({
      signal,
      attempts: SMALL_ATTEMPTS,
      ...(silenceMs === undefined ? {} : { silenceMs }),
    }).call(() => work({ client, attempt, signal }));

  return {
    kind: "webdav",
    label,
    ...endpointOf(url),
    async connect(signal) {
      await call(`cannot use ${label}`, signal, async (asking) => {
        const folder = await lookAt(asking, root, "folder");
        if (folder !== undefined) {
          requireCollection(folder, root);
          return;
        }
        // WEBDAV_PATH is made by the first delivery; what WEBDAV_URL names must be there.
        const base = await lookAt(asking, client.base, "folder");
        if (base !== undefined) requireCollection(base, client.base);
        else
          throw new DestinationError("not-found", `cannot use ${label}: HTTP 404 for ${url.pathname}`, {
            hint: "check WEBDAV_URL",
          });
      });
    },
    put: (name, body, putOptions: PutOptions) => putInto(name, body, putOptions),
    async *list(area, signal) {
      yield* await call(`cannot list ${label}`, signal, (asking) => listObjects(asking, root, area));
    },
    async get(area, name, range, signal) {
      const { folder, base } = placeOf(root, area, name);
      return await call(`cannot read ${printablePath(name)} in ${label}`, signal, (asking) =>
        openForReading(asking, [...folder, base], range, silenceMs),
      );
    },
    async remove(area, name, signal) {
      const { folder, base } = placeOf(root, area, name);
      await call(`cannot remove ${printablePath(name)} in ${label}`, signal, (asking) =>
        removeResource(asking, [...folder, base]),
      );
    },
    removeLeftovers: (owner, signal) =>
      call(`cannot remove leftovers in ${label}`, signal, (asking) =>
        removeRemoteLeftovers(
          {
            find: () => findPartials(asking, root),
            remove: ({ path }) => removeResource(asking, JSON.parse(path) as string[]),
          },
          owner,
          signal,
        ),
      ),
    async close() {
      client.close();
    },
  };
}
