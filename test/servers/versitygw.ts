import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Certificates } from "./certificates.ts";
import { freePort, serversFolder, startProgram } from "./program.ts";
import type { S3Server } from "./s3-server.ts";

export interface VersitygwOptions {
  readonly tls?: Certificates;
  /** Where its objects lie; default: a temporary folder that goes with the server. The object `a/x` of bucket `b` is the file `b/a/x`. */
  readonly root?: string;
  readonly region?: string;
}

/** A versitygw on 127.0.0.1 with no bucket. */
export async function startVersitygw(options: VersitygwOptions = {}): Promise<S3Server & { readonly root: string }> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "lifeboat-versitygw-"));
  const root = options.root ?? join(folder, "objects");
  const sidecar = join(folder, "sidecar");
  for (const needed of [root, sidecar]) mkdirSync(needed, { recursive: true });
  const { tls } = options;
  const program = await startProgram({
    command: join(serversFolder(), "bin", "versitygw"),
    args: [
      "--quiet",
      "--keep-alive",
      ...`--port 127.0.0.1:${port} --access test --secret testsecret`.split(" "),
      `--region=${options.region ?? "us-east-1"}`,
      ...(tls === undefined ? [] : ["--cert", tls.certificateFile, "--key", tls.keyFile]),
      "posix",
      // Not every file system has extended attributes of users.
      `--sidecar=${sidecar}`,
      root,
    ],
    port,
  });
  return {
    host: `127.0.0.1:${port}`,
    root,
    accessKeyId: "test",
    secretAccessKey: "testsecret",
    isHttps: tls !== undefined,
    async stop() {
      await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
