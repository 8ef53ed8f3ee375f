import type { ArchiveSource } from "../../contracts/archive.ts";
import type { Destination, PutOptions, StoredObject } from "../../contracts/destination.ts";
import { orAborted } from "../../lib/abortable.ts";
import { printablePath } from "../../lib/printable.ts";
import { createAttempts } from "../attempts.ts";
import { openSession } from "./connect.ts";
import { createConnection } from "./connection.ts";
import { isMissing, translated } from "./errors.ts";
import { notAFolder, obstacleTo, statOf } from "./folders.ts";
import { removeLeftoversIn } from "./leftovers.ts";
import { listObjects } from "./listing.ts";
import type { SshOptions } from "./options.ts";
import { below, placeOf, remoteFolder } from "./paths.ts";
import { removeFile } from "./publish.ts";
import { createPutter } from "./putting.ts";
import { openForReading } from "./reading.ts";
import type { Session } from "./session.ts";

/** Calls of small work in all: enough for a connection that died while nobody needed it. */
const SMALL_ATTEMPTS = 3;

/** A folder on a host, over SFTP. Nothing is connected before it is needed. */
export function createSshDestination(options: SshOptions): Destination {
  const root = remoteFolder(options.remotePath);
  const where = `${options.user}@${options.host}${options.port === 22 ? "" : `:${options.port}`}`;
  const label = `ssh:${where}${root === "." ? "" : `${root.startsWith("/") ? "" : "/"}${root}`}`;
  const connection = createConnection(() => openSession(options));
  const putInto = createPutter({ connection, root, label, options });

  /** Small work that can simply be done again. */
  const call = <T>(attempt: string, signal: AbortSignal, work: (session: Session) => Promise<T>): Promise<T> =>
    createAttempts({
      signal,
      attempts: SMALL_ATTEMPTS,
      ...(options.limits?.silenceMs === undefined ? {} : { silenceMs: options.limits.silenceMs }),
    }).call(async () => {
      const session = await connection.session(signal);
      return await orAborted(translated(attempt, work(session)), signal);
    });

  return {
    kind: "ssh",
    label,
    endpoint: { host: options.host, port: options.port },
    async connect(signal) {
      await call(`cannot use ${label}`, signal, (session) => requireUsable(session, root));
    },
    put: (name: string, body: ArchiveSource, putOptions: PutOptions): Promise<StoredObject> =>
      putInto(name, body, putOptions),
    async *list(area, signal) {
      // Whole, so that a connection that is lost in between gives no half list.
      yield* await call(`cannot list ${label}`, signal, (session) => collect(listObjects(session, root, area, signal)));
    },
    async get(area, name, range, signal) {
      const { folder, base } = placeOf(root, area, name);
      const attempt = `cannot read ${printablePath(name)} in ${label}`;
      return await call(attempt, signal, () =>
        openForReading({
          session: () => connection.session(signal),
          path: below(folder, base),
          attempt,
          range,
          signal,
          silenceMs: options.limits?.silenceMs,
        }),
      );
    },
    async remove(area, name, signal) {
      const { folder, base } = placeOf(root, area, name);
      await call(`cannot remove ${printablePath(name)} in ${label}`, signal, (session) =>
        removeFile(session, below(folder, base)),
      );
    },
    removeLeftovers: (owner, signal) =>
      call(`cannot remove leftovers in ${label}`, signal, (session) => removeLeftoversIn(session, root, owner, signal)),
    async close() {
      connection.close();
    },
  };
}

/** The folder may be missing: the first delivery makes it. */
async function requireUsable(session: Session, root: string): Promise<void> {
  try {
    const stat = await statOf(session, root);
    if (stat.isDirectory()) return;
  } catch (error) {
    if (isMissing(error)) return;
    throw (await obstacleTo(session, root)) ?? error;
  }
  throw notAFolder(root);
}

async function collect(objects: AsyncIterable<StoredObject>): Promise<StoredObject[]> {
  const all: StoredObject[] = [];
  for await (const object of objects) all.push(object);
  return all;
}
