import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { ArchiveNotice, ArchiveOptions } from "../../src/contracts/archive.ts";
import { createArchive } from "../../src/archive/write/create.ts";
import { archiveOptions } from "./make.ts";

/** Makes an archive in a process of its own: `run-archive.ts FILE '{"sources": …}'`; prints what came of it as JSON. */
const [file = "", json = ""] = process.argv.slice(2);
const options = JSON.parse(json) as Partial<ArchiveOptions>;
const notices: ArchiveNotice[] = [];
const stream = createArchive(
  archiveOptions(options.sources ?? [], { onNotice: (notice) => notices.push(notice), ...options }),
);
await pipeline(stream.bytes, createWriteStream(file));
const result = await stream.result;
process.stdout.write(JSON.stringify({ result, notices, peakKilobytes: process.resourceUsage().maxRSS }));
