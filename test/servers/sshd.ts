import { execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, type Program, serversFolder, startProgram, temporaryFolder } from "./program.ts";

/** The account that SSH tests log in to. Passwords are the system's own, so it is a system account. */
export const SSH_USER = "lifeboat-test";
export const SSH_PASSWORD = "pa55 w0rd-für-Tests";

export interface SshServer {
  readonly port: number;
  readonly program: Program;
  /** Belongs to the account; tests put their folders here. */
  readonly root: string;
  /** A private key (ed25519, OpenSSH format) that may log in. */
  readonly keyFile: string;
  /** Public parts of the server's own keys, by type as `ssh-keygen -t` has it. */
  readonly hostKeys: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export interface SshdOptions {
  /** More lines of `sshd_config`. */
  readonly config?: readonly string[];
  readonly hostKeyTypes?: readonly ("ed25519" | "ecdsa" | "rsa")[];
  /** Lines of `authorized_keys` beside the one of `keyFile`. */
  readonly authorizedKeys?: readonly string[];
  readonly port?: number;
  /** Of OpenSSH's `sftp-server`, e.g. `-P posix-rename` for one without that extension. */
  readonly sftpArguments?: string;
  /** Questions and answers in place of a password: PAM asks them. */
  readonly isKeyboardInteractive?: boolean;
}

/** OpenSSH's own server with its own SFTP. Needs root. */
export async function startSshd(options: SshdOptions = {}): Promise<SshServer> {
  const account = ensureAccount();
  const folder = temporaryFolder();
  const port = options.port ?? (await freePort());
  const hostKeys: Record<string, string> = {};
  for (const type of options.hostKeyTypes ?? ["ed25519", "ecdsa", "rsa"])
    hostKeys[type] = makeKey(folder, `host_${type}`, type);
  const clientKey = makeKey(folder, "client", "ed25519");
  const authorized = join(folder, "authorized_keys");
  writeFileSync(authorized, [clientKey, ...(options.authorizedKeys ?? []), ""].join("\n"), { mode: 0o644 });
  const config = join(folder, "sshd_config");
  writeFileSync(
    config,
    [
      `Port ${port}`,
      "ListenAddress 127.0.0.1",
      ...Object.keys(hostKeys).map((type) => `HostKey ${join(folder, `host_${type}`)}`),
      `PidFile ${join(folder, "pid")}`,
      `AuthorizedKeysFile ${authorized}`,
      // The first line of a kind counts.
      ...(options.config ?? []),
      `KbdInteractiveAuthentication ${options.isKeyboardInteractive === true ? "yes" : "no"}`,
      `UsePAM ${options.isKeyboardInteractive === true ? "yes" : "no"}`,
      "StrictModes no",
      "MaxStartups 100",
      `Subsystem sftp internal-sftp${options.sftpArguments === undefined ? "" : ` ${options.sftpArguments}`}`,
      `AllowUsers ${SSH_USER}`,
      "",
    ].join("\n"),
  );
  mkdirSync("/run/sshd", { recursive: true });
  const root = ownFolder(folder, account);
  const program = await startProgram({ command: "/usr/sbin/sshd", args: ["-D", "-e", "-f", config], port });
  return {
    port,
    program,
    root,
    keyFile: join(folder, "client"),
    hostKeys,
    async stop() {
      await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** Makes the account where it is missing. Its home is kept, for servers that read keys from nowhere else. */
export function ensureAccount(): Account {
  const home = join(serversFolder(), "ssh-home");
  if (!accountExists()) {
    mkdirSync(serversFolder(), { recursive: true });
    try {
      execFileSync("useradd", ["--home-dir", home, "--create-home", "--shell", "/bin/sh", SSH_USER], { stdio: "pipe" });
    } catch (error) {
      // Another suite may be making it at this moment: its group is there before it is.
      for (let tries = 0; !accountExists(); tries += 1) {
        if (tries === 20) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      }
    }
  }
  execFileSync("chpasswd", { input: `${SSH_USER}:${SSH_PASSWORD}\n`, stdio: ["pipe", "pipe", "pipe"] });
  const id = (flag: string): number => Number(execFileSync("id", [flag, SSH_USER], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g"), home };
}

function accountExists(): boolean {
  try {
    execFileSync("id", [SSH_USER], { stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
}

/** Makes a key pair and gives its public line. */
export function makeKey(folder: string, name: string, type: string, more: readonly string[] = []): string {
  const file = join(folder, name);
  if (!existsSync(file))
    execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", "", "-f", file, ...more], { stdio: "pipe" });
  return execFileSync("ssh-keygen", ["-y", "-f", file], { encoding: "utf8" }).trim();
}

/** A folder that the account may write to, below one that it may only cross. */
export function ownFolder(folder: string, account: Account): string {
  execFileSync("chmod", ["0755", folder]);
  const root = join(folder, "root");
  mkdirSync(root, { mode: 0o755 });
  chownSync(root, account.uid, account.gid);
  return root;
}
