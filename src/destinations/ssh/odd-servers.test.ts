import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { afterEach, expect, it } from "vitest";
import { asArchive, failureOf, OWNER, signal } from "../../../test/conformance/harness.ts";
import type { Destination } from "../../contracts/destination.ts";
import { bufferSource } from "../buffer-source.ts";
import type { SshOptions } from "./options.ts";
import { createSshDestination } from "./ssh.ts";

type Subsystem = (accept: () => ssh2.ServerChannel, reject: () => void) => void;

const { private: hostKey, public: publicKey } = ssh2.utils.generateKeyPairSync("ed25519");
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** An SSH server that lets everybody in (or nobody, or wants a new password), and does this when it is asked for SFTP. */
async function startOddServer(
  sftp: Subsystem | "expired" | undefined,
): Promise<{ readonly port: number; logins(): number }> {
  let logins = 0;
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
    client.on("error", () => undefined);
    client.on("authentication", (context) => {
      if (context.method === "none") context.reject(["password"]);
      else {
        logins += 1;
        if (sftp === "expired" && context.method === "password") context.requestChange("expired", () => undefined);
        else if (sftp === undefined) context.reject(["password"]);
        else context.accept();
      }
    });
    if (typeof sftp !== "function") return;
    client.on("session", (accept) => void accept().on("subsystem", (take, refuse) => sftp(take, refuse)));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  closing.push(() => void server.close());
  return { port: (server.address() as AddressInfo).port, logins: () => logins };
}

function open(port: number, more: Partial<SshOptions> = {}): Destination {
  return createSshDestination({
    host: "127.0.0.1",
    port,
    user: "backup",
    password: "x",
    remotePath: "",
    concurrency: 64,
    ...more,
  });
}

async function refusalAt(port: number, more: Partial<SshOptions> = {}): Promise<unknown> {
  const destination = open(port, more);
  try {
    return await failureOf(destination.connect(signal()));
  } finally {
    await destination.close();
  }
}

const talking: Subsystem = (accept) => void accept().write("Welcome to the NAS!\r\n");
const ending: Subsystem = (accept) => {
  const channel = accept();
  channel.exit(127);
  channel.end();
};

it.each<[string, Subsystem, string, string]>([
  ["offers none", (_accept, reject) => reject(), "offers no SFTP", "Subsystem sftp"],
  ["has a shell that says something first", talking, "what answers there is no SFTP", ".bashrc"],
  ["can't start it", ending, "what answers there is no SFTP", ".bashrc"],
])("a server without SFTP that %s: is told at once and for good, with what to do", async (_what, sftp, text, hint) => {
  const server = await startOddServer(sftp);
  expect(await refusalAt(server.port)).toMatchObject({
    code: "invalid",
    message: expect.stringContaining(text),
    hint: expect.stringContaining(hint),
  });
  expect(server.logins()).toBe(1);
});

it("a wrong password is tried once, also where the host's key is known", async () => {
  const server = await startOddServer(undefined);
  const folder = mkdtempSync(join(tmpdir(), "lifeboat-known-"));
  closing.push(() => rmSync(folder, { recursive: true }));
  const knownHostsFile = join(folder, "known_hosts");
  writeFileSync(knownHostsFile, `[127.0.0.1]:${server.port} ${publicKey}\n`);
  expect(await refusalAt(server.port, { knownHostsFile })).toMatchObject({ code: "denied" });
  expect(server.logins()).toBe(1);
});

it("a login that was refused is not tried again by the same run", async () => {
  const server = await startOddServer(undefined);
  const destination = open(server.port);
  const refusals = [
    await failureOf(destination.removeLeftovers(OWNER, signal())),
    await failureOf(destination.put("a.tar", bufferSource(Buffer.from("a")), asArchive())),
  ];
  await destination.close();
  expect(refusals).toEqual([expect.objectContaining({ code: "denied" }), expect.objectContaining({ code: "denied" })]);
  expect(server.logins()).toBe(1);
});

it("an expired password is told, and no new one is waited for", async () => {
  const server = await startOddServer("expired");
  expect(await refusalAt(server.port)).toMatchObject({ code: "denied", message: expect.stringContaining("expired") });
});
