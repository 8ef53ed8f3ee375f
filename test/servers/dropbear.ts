import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, startProgram, temporaryFolder } from "./program.ts";
import { ensureAccount, makeKey, ownFolder, type SshServer } from "./sshd.ts";

/**
 * Dropbear: another make of the SSH protocol, with OpenSSH's `sftp-server` behind it. Takes keys only. With an ed25519 key
 * alone it dies when a client asks for RSA, so it gets both.
 */
export async function startDropbear(): Promise<SshServer> {
  const account = ensureAccount();
  const folder = temporaryFolder();
  const port = await freePort();
  for (const type of ["rsa", "ed25519"])
    execFileSync("dropbearkey", ["-t", type, "-f", join(folder, type)], { stdio: "pipe" });
  // It reads nothing but the account's own file: one key that lasts, so that suites don't disturb each other.
  const keys = join(account.home, ".ssh");
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  const clientKey = makeKey(keys, "client", "ed25519");
  writeFileSync(join(keys, "authorized_keys"), `${clientKey}\n`, { mode: 0o600 });
  for (const path of [keys, join(keys, "authorized_keys")]) chownSync(path, account.uid, account.gid);
  const root = ownFolder(folder, account);
  const program = await startProgram({
    command: "dropbear",
    args: [
      "-F",
      "-E",
      "-s",
      "-r",
      join(folder, "rsa"),
      "-r",
      join(folder, "ed25519"),
      "-p",
      `127.0.0.1:${port}`,
      "-P",
      join(folder, "pid"),
    ],
    port,
  });
  return {
    port,
    program,
    root,
    keyFile: join(keys, "client"),
    hostKeys: {},
    async stop() {
      await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
