/**
 * Sends one finished archive to the destination that the environment describes, as a later delivery does, and nothing else:
 * `node bench/deliver-file.ts <file>`. For `delivery.ts`, whose peers send a finished file, too.
 */
import { statSync } from "node:fs";
import { loadConfig } from "../src/config/load.ts";
import { openGrowingFile } from "../src/delivery/growing-file.ts";
import { openDestinations } from "../src/destinations/index.ts";

const [, , file = ""] = process.argv;
const { jobs, problems } = await loadConfig({ environment: process.env, ignoreFolder: true });
const [job] = jobs;
if (job === undefined) throw new Error(problems.map(({ message }) => message).join("\n"));
const [destination, ...others] = await openDestinations(job, {});
if (destination === undefined || others.length > 0) throw new Error("not exactly one destination");

const sizeBytes = statSync(file).size;
const archive = await openGrowingFile(file, sizeBytes);
archive.grew(sizeBytes);
// Nobody asks for the checksum.
archive.complete({ sizeBytes, sha256: "" });
await destination.put("file.tar", archive.openReader(), {
  area: "archive",
  owner: { job: "bench", host: "bench", runId: "bench" },
  signal: AbortSignal.timeout(600_000),
});
await destination.close();
await archive.close();
