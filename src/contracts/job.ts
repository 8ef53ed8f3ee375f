import type { Values } from "./setting.ts";

export type JobOrigin = { readonly kind: "file"; readonly path: string } | { readonly kind: "environment" };

/** One config file (or the process environment): what, when, where, whom to tell. Immutable; a reload makes new ones. */
export interface Job {
  /** File name without a final `.env`, or `default` for the environment's job. */
  readonly name: string;
  readonly origin: JobOrigin;
  readonly values: Values;
  /** What `values` reads: the raw text of every key that is set, `KEY_FILE` and PEM contents in place. Holds secrets. */
  readonly raw: Readonly<Record<string, string>>;
  /** Process environment overlaid with the file's pairs: what `$VAR` in names and templates' `env` see. May hold secrets. */
  readonly environment: Readonly<Record<string, string>>;
}
