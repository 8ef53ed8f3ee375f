import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { asArchive, asRecord, failureOf, listAll, OWNER, readAll, signal } from "../../../test/conformance/harness.ts";
import { sampleBytes } from "../../../test/conformance/sources.ts";
import { serversFolder } from "../../../test/servers/program.ts";
import { ensureAccount, SSH_PASSWORD, SSH_USER, type SshServer, startSshd } from "../../../test/servers/sshd.ts";
import type { Destination } from "../../contracts/destination.ts";
import { bufferSource } from "../buffer-source.ts";
import { createSshDestination } from "./ssh.ts";

/** The login of the documentation: nothing but SFTP, and nothing but its own folder. Every folder above must be root's. */
let jail = "";
let server: SshServer;
beforeAll(async () => {
  const { uid, gid } = ensureAccount();
  jail = mkdtempSync(join(serversFolder(), "jail-"));
  chmodSync(jail, 0o755);
  mkdirSync(join(jail, "archives"));
  chownSync(join(jail, "archives"), uid, gid);
  server = await startSshd({
    config: [`ChrootDirectory ${jail}`, "ForceCommand internal-sftp", "AllowTcpForwarding no", "PermitTTY no"],
  });
}, 60_000);
afterAll(async () => {
  await server.stop();
  rmSync(jail, { recursive: true });
});

function open(remotePath: string): Destination {
  return createSshDestination({
    host: "127.0.0.1",
    port: server.port,
    user: SSH_USER,
    password: SSH_PASSWORD,
    remotePath,
    concurrency: 64,
  });
}

it.each(["/archives", "archives", "/archives/deep/er/"])(
  "stores, lists and reads in the jail's %s",
  async (remotePath) => {
    const destination = open(remotePath);
    await destination.connect(signal());
    await destination.put("a.tar", bufferSource(sampleBytes(1_000)), asArchive());
    await destination.put("job/run.json", bufferSource(sampleBytes(10)), asRecord());
    expect((await listAll(destination, "archive")).map(({ name }) => name)).toEqual(["a.tar"]);
    expect((await listAll(destination, "record")).map(({ name }) => name)).toEqual(["job/run.json"]);
    expect(await readAll(destination, "archive", "a.tar")).toHaveLength(1_000);
    expect(await destination.removeLeftovers(OWNER, signal())).toBe(0);
    await destination.remove("archive", "a.tar", signal());
    await destination.remove("record", "job/run.json", signal());
    await destination.close();
  },
);

it("the jail's root itself is listed, and a refusal to write there says what to do", async () => {
  const destination = open("/");
  await destination.connect(signal());
  expect(await listAll(destination, "archive")).toEqual([]);
  expect(await destination.removeLeftovers(OWNER, signal())).toBe(0);
  const error = await failureOf(destination.put("a.tar", bufferSource(sampleBytes(10)), asArchive()));
  expect(error).toMatchObject({ code: "denied", hint: expect.stringContaining("SSH_REMOTE_PATH") });
  expect(readdirSync(jail)).toEqual(["archives"]);
  await destination.close();
});
