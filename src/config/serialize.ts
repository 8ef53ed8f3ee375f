import type { Job } from "../contracts/job.ts";
import type { SerializedJob } from "../contracts/serialized-job.ts";
import { createCatalogue } from "./parts.ts";
import { secretsIn } from "./secrets.ts";
import { createValues } from "./values.ts";

/** What crosses to a child process. Holds secrets: it goes through a pipe, never into arguments or an environment. */
export function serializeJob({ name, origin, raw, environment }: Job): SerializedJob {
  return { name, origin, raw, environment };
}

/** The job as it was: the same raw texts, read with the same declarations. */
export function deserializeJob({ name, origin, raw, environment }: SerializedJob): Job {
  return { name, origin, raw, environment, values: createValues(raw) };
}

/** The secret values among a job's settings, for the redactor. */
export function secretsOf({ raw }: Pick<Job, "raw">): ReadonlySet<string> {
  const { settings } = createCatalogue();
  return new Set(
    settings.flatMap((setting) => (Object.hasOwn(raw, setting.key) ? secretsIn(setting, raw[setting.key] ?? "") : [])),
  );
}
