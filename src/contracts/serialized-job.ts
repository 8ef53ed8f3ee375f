import type { JobOrigin } from "./job.ts";

/** A resolved job as it crosses to a child process: raw texts, read again with the same declarations. */
export interface SerializedJob {
  readonly name: string;
  readonly origin: JobOrigin;
  /** Resolved raw value of every key that is set; `KEY_FILE` contents are already in place. */
  readonly raw: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
}
