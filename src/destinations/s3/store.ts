import type { Area } from "../../contracts/destination.ts";
import { DestinationError } from "../../lib/errors.ts";
import { SMALL_CALL_MS } from "../limits.ts";
import { componentsOf, RECORD_FOLDER } from "../names.ts";
import { type Attempts, createAttempts } from "../attempts.ts";
import type { Connection } from "./client.ts";
import { toS3Error } from "./errors.ts";
import type { S3Options } from "./options.ts";

/** S3: bytes of a key. */
const LONGEST_KEY_BYTES = 1024;

/** One bucket's folder, with what every method of the destination needs. */
export interface Store {
  readonly options: S3Options;
  readonly connection: Connection;
  readonly label: string;
  /** The folder as a prefix: empty, or with a slash at its end. */
  readonly prefix: string;
  /** Throws `invalid` for a name that does not lie plainly in the folder. */
  keyOf(area: Area, name: string): string;
  translate(thrown: unknown, attempt: string): DestinationError;
  /** A call that moves little: repeated while the store is unavailable, bounded, its failure translated. */
  small<T>(
    attempt: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
    calls?: Attempts,
  ): Promise<T>;
}

export function createStore(options: S3Options, connection: Connection): Store {
  const { bucket, folder, redact } = options;
  const prefix = folder === "" ? "" : `${folder}/`;
  const translate = (thrown: unknown, attempt: string): DestinationError => toS3Error(thrown, attempt, redact);
  return {
    options,
    connection,
    label: `s3:${bucket}${folder === "" ? "" : `/${folder}`}`,
    prefix,
    keyOf(area, name) {
      const path = componentsOf(area, name).join("/");
      const key = area === "archive" ? `${prefix}${path}` : `${prefix}${RECORD_FOLDER}/${path}`;
      if (Buffer.byteLength(key) > LONGEST_KEY_BYTES) {
        throw new DestinationError("invalid", `the key of an object would be longer than ${LONGEST_KEY_BYTES} bytes`, {
          hint: "shorten AWS_S3_PATH or BACKUP_FILENAME",
        });
      }
      return key;
    },
    translate,
    async small(attempt, signal, work, calls) {
      signal.throwIfAborted();
      const attempts = calls ?? createAttempts({ signal });
      return await attempts.call(async () => {
        const limit = AbortSignal.timeout(SMALL_CALL_MS);
        try {
          return await work(AbortSignal.any([signal, limit]));
        } catch (error) {
          if (signal.aborted) throw signal.reason;
          // To whoever reads an answer, the end of its time looks like a cut.
          throw translate(limit.aborted ? limit.reason : error, attempt);
        }
      });
    },
  };
}
