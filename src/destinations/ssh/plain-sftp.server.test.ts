import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { generatedSource } from "../../../test/conformance/generated-source.ts";
import { asArchive, failureOf, OWNER, signal } from "../../../test/conformance/harness.ts";
import { sampleBytes } from "../../../test/conformance/sources.ts";
import { SSH_PASSWORD, SSH_USER, type SshServer, startSshd } from "../../../test/servers/sshd.ts";
import type { Destination } from "../../contracts/destination.ts";
import { bufferSource } from "../buffer-source.ts";
import { createSshDestination } from "./ssh.ts";

/** SFTP as it was before OpenSSH's extensions: no rename over a file, no fsync, no free space, small packets. */
const WITHOUT_EXTENSIONS = "-P posix-rename,fsync,statvfs,fstatvfs,limits,expand-path,copy-data,lsetstat,hardlink";

let server: SshServer;
let destination: Destination;
let folder = "";
let folders = 0;
beforeAll(async () => {
  server = await startSshd({ sftpArguments: WITHOUT_EXTENSIONS });
}, 60_000);
afterAll(async () => {
  await server.stop();
});
beforeEach(() => {
  folders += 1;
  folder = join(server.root, `case-${folders}`);
  destination = createSshDestination({
    host: "127.0.0.1",
    port: server.port,
    user: SSH_USER,
    password: SSH_PASSWORD,
    remotePath: folder,
    concurrency: 64,
  });
  return async () => destination.close();
});

it("replaces an archive, and nothing stays behind", async () => {
  await destination.put("a.tar", bufferSource(sampleBytes(1_000, 1)), asArchive());
  const body = generatedSource(5_000_000);
  await destination.put("a.tar", body, asArchive());
  expect(readdirSync(folder)).toEqual(["a.tar"]);
  expect(readFileSync(join(folder, "a.tar"))).toHaveLength(5_000_000);
});

it("puts back an archive that stepped aside for a successor that never came", async () => {
  await destination.put("a.tar", bufferSource(sampleBytes(1_000)), asArchive());
  renameSync(join(folder, "a.tar"), join(folder, ".a.tar.previous.partial"));
  expect(await destination.removeLeftovers(OWNER, signal())).toBe(0);
  expect(readdirSync(folder)).toEqual(["a.tar"]);
  expect(readFileSync(join(folder, "a.tar")).equals(sampleBytes(1_000))).toBe(true);
});

it("removes one whose successor is there", async () => {
  await destination.put("a.tar", bufferSource(sampleBytes(1_000)), asArchive());
  writeFileSync(join(folder, ".a.tar.previous.partial"), "earlier");
  expect(await destination.removeLeftovers(OWNER, signal())).toBe(1);
  expect(readdirSync(folder)).toEqual(["a.tar"]);
});

it("with a name too long to step aside, the earlier archive goes first", async () => {
  const name = `${"n".repeat(250)}.tar`;
  await destination.put(name, bufferSource(sampleBytes(10, 1)), asArchive());
  await destination.put(name, bufferSource(sampleBytes(20, 2)), asArchive());
  expect(readdirSync(folder)).toEqual([name]);
  expect(readFileSync(join(folder, name)).equals(sampleBytes(20, 2))).toBe(true);
});

it("a refused rename leaves the earlier archive", async () => {
  await destination.put("a.tar", bufferSource(sampleBytes(10, 1)), asArchive());
  const denying = await startSshd({ sftpArguments: `${WITHOUT_EXTENSIONS},rename` });
  const other = createSshDestination({
    host: "127.0.0.1",
    port: denying.port,
    user: SSH_USER,
    password: SSH_PASSWORD,
    remotePath: folder,
    concurrency: 64,
  });
  const error = await failureOf(other.put("a.tar", bufferSource(sampleBytes(20, 2)), asArchive()));
  expect(error).toMatchObject({ code: "denied" });
  expect(readdirSync(folder)).toEqual(["a.tar"]);
  expect(existsSync(join(folder, "a.tar"))).toBe(true);
  await other.close();
  await denying.stop();
});
