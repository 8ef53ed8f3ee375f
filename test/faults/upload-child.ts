/** A process that uploads one archive and is killed while it does. Gets its task as JSON on standard input. */
import { writeSync } from "node:fs";
import { text } from "node:stream/consumers";
import { generatedSource } from "../conformance/generated-source.ts";
import { OWNER } from "../conformance/harness.ts";
import type { UploadTask } from "./kill-uploads.ts";
import { openFrom } from "./kinds.ts";

const task = JSON.parse(await text(process.stdin)) as UploadTask;
const destination = await openFrom(task.settings);
const body = generatedSource(task.sizeBytes, { seed: task.seed });
// Everything is loaded: from here on the time to the kill counts.
writeSync(1, "begin\n");
await destination.put("site.tar", body, { area: "archive", owner: OWNER, signal: AbortSignal.timeout(120_000) });
await destination.close();
