import { createSshDestination } from "../../src/destinations/ssh/ssh.ts";
import { createWebdavDestination } from "../../src/destinations/webdav/webdav.ts";
import type { SshOptions } from "../../src/destinations/ssh/options.ts";
import type { WebdavOptions } from "../../src/destinations/webdav/options.ts";
import { asArchive } from "../conformance/harness.ts";
import { growingSource, sampleBytes } from "../conformance/sources.ts";

/** What a process is told that uploads until it is killed. */
export interface UploadTask {
  readonly kind: "ssh" | "webdav";
  readonly options: SshOptions | WebdavOptions;
  readonly name: string;
  readonly sizeBytes: number;
}

/** The program of such a process: its task is its only argument. Says "begun" with the first byte. */
async function main(argument: string): Promise<void> {
  const task = JSON.parse(argument) as UploadTask;
  const destination =
    task.kind === "ssh"
      ? createSshDestination(task.options as SshOptions)
      : createWebdavDestination(task.options as WebdavOptions);
  await destination.connect(AbortSignal.timeout(20_000));
  process.stdout.write("begun\n");
  await destination.put(task.name, growingSource(sampleBytes(task.sizeBytes), 100_000, 15), asArchive());
  await destination.close();
}

await main(process.argv[2] ?? "");
