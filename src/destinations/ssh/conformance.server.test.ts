import { chownSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { testDestination } from "../../../test/conformance/destination-suite.ts";
import type { ConformanceStore } from "../../../test/conformance/harness.ts";
import { startDropbear } from "../../../test/servers/dropbear.ts";
import { ensureAccount, SSH_PASSWORD, SSH_USER, type SshServer, startSshd } from "../../../test/servers/sshd.ts";
import { partialName } from "../partial-name.ts";
import type { SshOptions } from "./options.ts";
import { createSshDestination } from "./ssh.ts";

const EXCEPTIONS: Readonly<Record<string, string>> = {
  "a missing bucket or folder is refused, by connect and by put, with a setting to look at":
    "the folder is made where it is missing",
  "an unknown authority's certificate is accepted where the setting names the authority": "SSH has host keys instead",
  "an unknown authority's certificate is accepted where the check is switched off": "SSH has host keys instead",
  "an unknown authority's certificate is refused otherwise, with a setting to look at": "SSH has host keys instead",
};

function storeOn(server: SshServer, login: Partial<SshOptions>, at: number): ConformanceStore {
  const root = path.join(server.root, `store-${at}`);
  const { uid, gid } = ensureAccount();
  return {
    async open(prefix) {
      return createSshDestination({
        host: "127.0.0.1",
        port: server.port,
        user: SSH_USER,
        remotePath: `${root}/${prefix}`,
        concurrency: 64,
        ...login,
      });
    },
    async openWrong() {
      return createSshDestination({
        host: "127.0.0.1",
        port: server.port,
        user: SSH_USER,
        remotePath: root,
        concurrency: 64,
        password: "wrong",
      });
    },
    async rawNames(prefix) {
      const folder = path.join(root, prefix);
      if (!existsSync(folder)) return [];
      const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
      return names.filter((name) => !statSync(path.join(folder, name)).isDirectory());
    },
    async plantLeftover(prefix, name, owner) {
      const folder = path.join(root, prefix);
      mkdirSync(folder, { recursive: true });
      const dead = partialName(name, owner).replace(`-${process.pid}-`, "-4194999-");
      writeFileSync(path.join(folder, dead), "half");
      chownSync(folder, uid, gid);
    },
    async cleanUp() {
      rmSync(root, { recursive: true, force: true });
    },
  };
}

describe.each([
  { name: "OpenSSH", start: () => startSshd(), login: (): Partial<SshOptions> => ({ password: SSH_PASSWORD }) },
  {
    name: "dropbear",
    start: startDropbear,
    login: (server: SshServer): Partial<SshOptions> => ({ identityFile: server.keyFile }),
  },
])("$name", ({ name, start, login }) => {
  let server: SshServer;
  let stores = 0;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(async () => {
    await server.stop();
  });
  testDestination({
    label: `SSH on ${name}`,
    kind: "ssh",
    secrets: [SSH_PASSWORD],
    exceptions: EXCEPTIONS,
    create: async () => storeOn(server, login(server), (stores += 1)),
  });
});
