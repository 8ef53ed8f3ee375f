import type { Values } from "../../src/contracts/setting.ts";
import { loadConfig } from "../../src/config/load.ts";

/** What a job with these settings reads; throws with everything that is wrong with them. */
export async function valuesFrom(environment: Readonly<Record<string, string>>): Promise<Values> {
  const { jobs, problems } = await loadConfig({ environment, defaultFolders: [] });
  const job = jobs[0];
  if (job === undefined) throw new Error(problems.map(({ key, message }) => `${key ?? ""}: ${message}`).join("; "));
  return job.values;
}
