import { mkdirSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { killUploads } from "../../../test/faults/kill-uploads.ts";
import { SSH_PASSWORD, SSH_USER, type SshServer, startSshd } from "../../../test/servers/sshd.ts";
import type { SshOptions } from "./options.ts";
import { createSshDestination } from "./ssh.ts";

let server: SshServer;
beforeAll(async () => {
  server = await startSshd();
}, 60_000);
afterAll(async () => {
  await server.stop();
});

it(
  "a killed upload leaves nothing under the final name, and the next run removes the rest",
  { timeout: 600_000 },
  async () => {
    const options: SshOptions = {
      host: "127.0.0.1",
      port: server.port,
      user: SSH_USER,
      password: SSH_PASSWORD,
      remotePath: server.root,
      concurrency: 64,
    };
    expect(mkdirSync(server.root, { recursive: true })).toBeUndefined();
    const destination = createSshDestination(options);
    await killUploads({ kind: "ssh", options }, server.root, destination);
    await destination.close();
  },
);
