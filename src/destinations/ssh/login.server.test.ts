import { execFileSync, spawn } from "node:child_process";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeKey, SSH_PASSWORD, SSH_USER, type SshServer, startSshd } from "../../../test/servers/sshd.ts";
import { DestinationError } from "../../lib/errors.ts";
import { fingerprintOf, PINNED_FILE } from "./host-key.ts";
import type { SshOptions } from "./options.ts";
import { createSshDestination } from "./ssh.ts";

let folder = "";
let keys = "";
let server: SshServer;
const PASSPHRASE = "a pass phrase";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lifeboat-ssh-login-"));
  keys = join(folder, "keys");
  mkdirSync(keys);
  const authorized = [
    makeKey(keys, "rsa", "rsa", ["-b", "2048"]),
    makeKey(keys, "ecdsa", "ecdsa", ["-b", "521"]),
    makeKey(keys, "ed25519", "ed25519"),
  ];
  for (const [name, type] of [
    ["rsa", "rsa"],
    ["ecdsa", "ec"],
  ] as const) {
    // `-p -m PEM` writes the traditional form; Node.js makes PKCS#8 of it.
    writeFileSync(join(keys, `${name}-pem`), readFileSync(join(keys, name)), { mode: 0o600 });
    execFileSync("ssh-keygen", ["-q", "-p", "-m", "PEM", "-P", "", "-N", "", "-f", join(keys, `${name}-pem`)], {
      stdio: "pipe",
    });
    const key = createPrivateKey(readFileSync(join(keys, `${name}-pem`)));
    expect(key.asymmetricKeyType).toBe(type);
    writeFileSync(join(keys, `${name}-pkcs8`), key.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    const encrypted = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: PASSPHRASE } as const;
    writeFileSync(join(keys, `${name}-pkcs8-encrypted`), key.export(encrypted), { mode: 0o600 });
  }
  for (const name of ["rsa", "ecdsa", "ed25519"]) {
    writeFileSync(join(keys, `${name}-encrypted`), readFileSync(join(keys, name)), { mode: 0o600 });
    execFileSync("ssh-keygen", ["-q", "-p", "-P", "", "-N", PASSPHRASE, "-f", join(keys, `${name}-encrypted`)], {
      stdio: "pipe",
    });
  }
  const fresh = generateKeyPairSync("ed25519").privateKey;
  writeFileSync(join(keys, "ed25519-pkcs8"), fresh.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  authorized.push(sshPublicLine(fresh.export({ format: "jwk" }).x ?? ""));
  writeFileSync(join(keys, "dos-line-ends"), readFileSync(join(keys, "ed25519"), "utf8").replaceAll("\n", "\r\n"), {
    mode: 0o600,
  });
  const pem = readFileSync(join(keys, "rsa-pem"), "utf8");
  const around = `Bag Attributes\n    friendlyName: backup\n${pem}${readFileSync(join(keys, "rsa.pub"), "utf8")}`;
  writeFileSync(join(keys, "text-around"), around, { mode: 0o600 });
  const openSsh = readFileSync(join(keys, "ed25519"), "utf8");
  writeFileSync(join(keys, "indented"), openSsh.replaceAll(/^/gm, "    "), { mode: 0o600 });
  server = await startSshd({ authorizedKeys: authorized });
}, 60_000);

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** The public line of an Ed25519 key, from its bytes. */
function sshPublicLine(x: string): string {
  const text = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  return `ssh-ed25519 ${Buffer.concat([text(Buffer.from("ssh-ed25519")), text(Buffer.from(x, "base64url"))]).toString("base64")}`;
}

function optionsFor(more: Partial<SshOptions>): SshOptions {
  return { host: "127.0.0.1", port: server.port, user: SSH_USER, remotePath: server.root, concurrency: 64, ...more };
}

async function connect(more: Partial<SshOptions>): Promise<void> {
  const destination = createSshDestination(optionsFor(more));
  try {
    await destination.connect(AbortSignal.timeout(20_000));
  } finally {
    await destination.close();
  }
}

async function refusalOf(more: Partial<SshOptions>): Promise<DestinationError> {
  const error = await connect(more).then(
    () => new Error("it was accepted"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DestinationError)) throw error;
  return error;
}

describe("logging in", () => {
  it.each([
    "rsa",
    "ecdsa",
    "ed25519",
    "rsa-pem",
    "ecdsa-pem",
    "rsa-pkcs8",
    "ecdsa-pkcs8",
    "ed25519-pkcs8",
    "dos-line-ends",
    "text-around",
    "indented",
  ])("with the key %s", async (name) => {
    await connect({ identityFile: join(keys, name) });
  });

  it.each(["rsa-encrypted", "ecdsa-encrypted", "ed25519-encrypted", "rsa-pkcs8-encrypted", "ecdsa-pkcs8-encrypted"])(
    "with the key %s and its passphrase, not without and not with another",
    async (name) => {
      const identityFile = join(keys, name);
      await connect({ identityFile, passphrase: PASSPHRASE });
      const without = await refusalOf({ identityFile });
      expect(without).toMatchObject({ code: "invalid", hint: "set SSH_IDENTITY_PASSPHRASE" });
      expect(without.message).toContain(identityFile);
      const wrong = await refusalOf({ identityFile, passphrase: "another" });
      expect(wrong).toMatchObject({ code: "invalid", hint: "correct SSH_IDENTITY_PASSPHRASE" });
      expect(wrong.message).not.toContain("another");
    },
  );

  it("with a password, also where the default key file is missing or can't be used", async () => {
    await connect({ password: SSH_PASSWORD, identityFile: "/root/.ssh/there-is-none" });
    const warnings: string[] = [];
    const damaged = join(folder, "damaged");
    writeFileSync(damaged, "this is no key\n");
    await connect({ password: SSH_PASSWORD, identityFile: damaged, onWarning: (text) => warnings.push(text) });
    expect(warnings.join()).toContain("SSH_PASSWORD is used");
    const chosen = await refusalOf({ password: SSH_PASSWORD, identityFile: damaged, isIdentityChosen: true });
    expect(chosen).toMatchObject({ code: "invalid", message: expect.stringContaining(damaged) });
  });

  it("with the keys of an agent, and past an agent that is gone", async () => {
    const socket = join(folder, "agent");
    const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
    try {
      await expect.poll(() => runs("ssh-add", [join(keys, "rsa")], socket)).toBe(true);
      await connect({ agentSocket: socket });
    } finally {
      agent.kill("SIGTERM");
    }
    await connect({ agentSocket: join(folder, "no-agent"), password: SSH_PASSWORD });
    const none = await refusalOf({ agentSocket: join(folder, "no-agent") });
    expect(none).toMatchObject({ code: "invalid", message: expect.stringContaining("SSH_PASSWORD is not set") });
  });

  it("answers questions with the password, where the server asks for nothing else", async () => {
    const asking = await startSshd({
      config: ["PasswordAuthentication no", "PubkeyAuthentication no"],
      isKeyboardInteractive: true,
    });
    try {
      await connect({ port: asking.port, password: SSH_PASSWORD, remotePath: asking.root });
      expect(await refusalOf({ port: asking.port, password: "wrong" })).toMatchObject({ code: "denied" });
    } finally {
      await asking.stop();
    }
  });

  it("gives a key and then a password to a server that wants both", async () => {
    const both = await startSshd({ config: ["AuthenticationMethods publickey,password"] });
    try {
      await connect({ port: both.port, identityFile: both.keyFile, password: SSH_PASSWORD, remotePath: both.root });
      expect(await refusalOf({ port: both.port, identityFile: both.keyFile })).toMatchObject({ code: "denied" });
    } finally {
      await both.stop();
    }
  });
});

function runs(command: string, args: readonly string[], socket: string): boolean {
  try {
    execFileSync(command, args, { stdio: "pipe", env: { ...process.env, SSH_AUTH_SOCK: socket } });
    return true;
  } catch {
    // Not yet.
    return false;
  }
}

describe("what is refused names the setting to look at", () => {
  it.each<[string, () => Partial<SshOptions>, RegExp, RegExp]>([
    ["a wrong password", () => ({ password: "wrong" }), /refused to log in/, /SSH_PASSWORD/],
    ["an unknown user", () => ({ user: "nobody-at-all", password: "x" }), /nobody-at-all/, /SSH_USER/],
    ["an unknown key", () => ({ identityFile: strangeKey() }), /SSH_IDENTITY_FILE/, /authorized_keys/],
    [
      "nothing to log in with",
      () => ({ identityFile: join(keys, "missing") }),
      /nothing to log in/,
      /SSH_IDENTITY_FILE/,
    ],
    ["a public key", () => ({ identityFile: publicKey() }), /public key/, /without `\.pub`/],
    ["a folder for a key", () => ({ identityFile: keys }), /it is a folder/, /Docker/],
    [
      "an unknown host",
      () => ({ host: "no-such-host.invalid", password: "x" }),
      /not known|looked up/,
      /SSH_HOST_NAME/,
    ],
    ["a port that nobody listens on", () => ({ port: 1, password: "x" }), /refused/, /SSH_PORT/],
  ])("%s", { timeout: 30_000 }, async (_what, options, message, hint) => {
    const error = await refusalOf(options());
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
    expect(`${error.message} ${error.hint ?? ""}`).not.toContain(SSH_PASSWORD);
  });

  const strangeKey = (): string => (makeKey(keys, "strange", "ed25519"), join(keys, "strange"));
  const publicKey = (): string => {
    writeFileSync(join(keys, "only.pub"), makeKey(keys, "strange", "ed25519"));
    return join(keys, "only.pub");
  };
});

describe("the host's key", () => {
  const fingerprint = (type: string): string =>
    fingerprintOf(Buffer.from(server.hostKeys[type]?.split(" ")[1] ?? "", "base64"));
  const withPassword = (more: Partial<SshOptions>): Partial<SshOptions> => ({ password: SSH_PASSWORD, ...more });
  const knownHosts = (text: string): string => {
    const file = join(folder, "known_hosts");
    writeFileSync(file, text);
    return file;
  };

  it.each(["ed25519", "ecdsa", "rsa"])("is accepted by the fingerprint of its %s key", async (type) => {
    await connect(withPassword({ fingerprint: fingerprint(type) }));
  });

  it("is refused by another fingerprint, and both are shown", async () => {
    const wanted = `SHA256:${"A".repeat(43)}`;
    const error = await refusalOf(withPassword({ fingerprint: wanted }));
    expect(error.code).toBe("denied");
    expect(error.message).toContain(wanted);
    expect(error.message).toContain(fingerprint("ed25519"));
    expect(error.hint).toContain("SSH_HOST_KEY_FINGERPRINT");
  });

  it.each(["ed25519", "ecdsa", "rsa"])(
    "is found in known_hosts by its %s key alone, plain and hashed",
    async (type) => {
      const key = server.hostKeys[type] ?? "";
      await connect(withPassword({ knownHostsFile: knownHosts(`# ours\n[127.0.0.1]:${server.port} ${key}\n`) }));
      const file = knownHosts(`[127.0.0.1]:${server.port} ${key}\n`);
      execFileSync("ssh-keygen", ["-q", "-H", "-f", file], { stdio: "pipe" });
      expect(readFileSync(file, "utf8")).toMatch(/^\|1\|/);
      await connect(withPassword({ knownHostsFile: file }));
    },
  );

  it("is refused where known_hosts has none or another, or says it is revoked", async () => {
    const none = await refusalOf(withPassword({ knownHostsFile: knownHosts("other.test ssh-ed25519 AAAA\n") }));
    expect(none).toMatchObject({ code: "denied", hint: expect.stringContaining(`ssh-keyscan -p ${server.port}`) });
    const strange = makeKey(keys, "strange", "ed25519");
    const other = await refusalOf(
      withPassword({ knownHostsFile: knownHosts(`[127.0.0.1]:${server.port} ${strange}\n`) }),
    );
    expect(other.message).toContain(fingerprint("ed25519"));
    expect(other.message).toContain(fingerprintOf(Buffer.from(strange.split(" ")[1] ?? "", "base64")));
    const lines = `* ${server.hostKeys["ed25519"] ?? ""}\n@revoked * ${server.hostKeys["ed25519"] ?? ""}\n`;
    expect((await refusalOf(withPassword({ knownHostsFile: knownHosts(lines) }))).message).toContain("revoked");
    const missing = await refusalOf(withPassword({ knownHostsFile: join(folder, "no-file") }));
    expect(missing).toMatchObject({ code: "invalid", message: expect.stringContaining("SSH_KNOWN_HOSTS") });
  });

  it("is remembered at the first connection and refused when it changes", async () => {
    const stateDir = mkdtempSync(join(folder, "state-"));
    const warnings: string[] = [];
    const onWarning = (text: string): void => void warnings.push(text);
    await connect(withPassword({ stateDir, onWarning }));
    await connect(withPassword({ stateDir, onWarning }));
    expect(warnings).toEqual([expect.stringContaining(fingerprint("ed25519"))]);
    const pinned = join(stateDir, PINNED_FILE);
    expect(readFileSync(pinned, "utf8").trim().split("\n")).toHaveLength(1);
    const strange = makeKey(keys, "strange", "ed25519");
    writeFileSync(pinned, `[127.0.0.1]:${server.port} ${strange}\n`);
    const error = await refusalOf(withPassword({ stateDir }));
    expect(error.code).toBe("denied");
    expect(error.message).toContain(fingerprint("ed25519"));
    expect(error.message).toContain(fingerprintOf(Buffer.from(strange.split(" ")[1] ?? "", "base64")));
    expect(error.hint).toContain(`SSH_HOST_KEY_FINGERPRINT=${fingerprint("ed25519")}`);
    expect(error.hint).toContain(pinned);
  });

  it("is refused where the host has no key of the remembered type any more", async () => {
    const stateDir = mkdtempSync(join(folder, "state-"));
    const file = join(stateDir, PINNED_FILE);
    const onlyEd25519 = await startSshd({ hostKeyTypes: ["ed25519"] });
    try {
      writeFileSync(file, `[127.0.0.1]:${onlyEd25519.port} ${server.hostKeys["rsa"] ?? ""}\n`);
      const error = await refusalOf(withPassword({ port: onlyEd25519.port, stateDir }));
      expect(error.code).toBe("denied");
      expect(error.message).toContain(fingerprint("rsa"));
    } finally {
      await onlyEd25519.stop();
    }
  });

  it("is accepted with the exact line to add, where nothing can be remembered", async () => {
    const warnings: string[] = [];
    for (const stateDir of [undefined, join(folder, "not", "there")]) {
      await connect(
        withPassword({ ...(stateDir === undefined ? {} : { stateDir }), onWarning: (text) => warnings.push(text) }),
      );
    }
    expect(warnings).toHaveLength(2);
    for (const text of warnings) expect(text).toContain(`SSH_HOST_KEY_FINGERPRINT=${fingerprint("ed25519")}`);
  });
});

it("an old server that knows no newer key exchange is reached", async () => {
  const old = await startSshd({ config: ["KexAlgorithms diffie-hellman-group14-sha1", "HostKeyAlgorithms ssh-rsa"] });
  try {
    await connect({ port: old.port, password: SSH_PASSWORD });
  } finally {
    await old.stop();
  }
});

it("a key file that may not be read is an error that says so", async () => {
  const file = join(keys, "unreadable");
  writeFileSync(file, "x");
  chmodSync(file, 0o000);
  // Root may read it all the same: then its content is what is wrong.
  expect(await refusalOf({ identityFile: file })).toMatchObject({
    code: "invalid",
    message: expect.stringContaining(file),
  });
});
