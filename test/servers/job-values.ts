import type { Job } from "../../src/contracts/job.ts";
import type { Values } from "../../src/contracts/setting.ts";
import { loadConfig } from "../../src/config/load.ts";

/** What a job with these settings reads; throws with everything that is wrong with them. */
export async function valuesFrom(environment: Readonly<Record<string, string>>): Promise<Values> {
  return (await jobFrom(environment)).values;
}

/** The same as the whole job. */
export async function jobFrom(environment: Readonly<Record<string, string>>): Promise<Job> {
  const { jobs, problems } = await loadConfig({ environment, defaultFolders: [] });
  const job = jobs[0];
  if (job === undefined) throw new Error(problems.map(({ key, message }) => `${key ?? ""}: ${message}`).join("; "));
  return job;
}
