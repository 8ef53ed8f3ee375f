import { createPrivateKey, type KeyObject } from "node:crypto";
import { open } from "node:fs/promises";
import type { ParsedKey } from "ssh2";
import { DestinationError, messageOf, systemCode } from "../../lib/errors.ts";
import { openSshEd25519 } from "./openssh-key.ts";

const LARGEST_KEY_BYTES = 64 * 1024;

/** `ssh2`'s own parser; handed in, because the library is loaded only when it is needed. */
export type ParseKey = (text: string, passphrase?: string) => ParsedKey | readonly ParsedKey[] | Error;

/**
 * The private key of a file (OpenSSH, PEM, PKCS#8, PuTTY 2), or undefined where there is no such file.
 * @throws DestinationError `invalid` that names the setting to look at
 */
export async function loadIdentity(
  file: string,
  passphrase: string | undefined,
  parseKey: ParseKey,
): Promise<ParsedKey | undefined> {
  const text = await readKeyFile(file);
  if (text === undefined) return undefined;
  const parsed = parseKey(await readableForm(text, passphrase, file), passphrase);
  if (parsed instanceof Error) throw explain(parsed, file, passphrase !== undefined);
  const key = (Array.isArray(parsed) ? parsed[0] : parsed) as ParsedKey | undefined;
  if (key?.isPrivateKey() !== true)
    throw badKey(file, "it holds a public key", "SSH_IDENTITY_FILE must name the private key, the file without `.pub`");
  return key;
}

async function readKeyFile(file: string): Promise<string | undefined> {
  try {
    const handle = await open(file, "r");
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(LARGEST_KEY_BYTES), 0, LARGEST_KEY_BYTES, 0);
      return privateBlock(buffer.toString("utf8", 0, bytesRead));
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (code === "EISDIR") {
      throw badKey(
        file,
        "it is a folder",
        "Docker makes a folder where the file to mount does not exist: check the mount's left side",
      );
    }
    throw badKey(
      file,
      `it can't be read: ${messageOf(error)}`,
      "make the file readable for the user that Lifeboat runs as",
    );
  }
}

/**
 * The key alone. Files may hold more (`openssl` writes attributes and curve parameters in front, some append the public
 * key), be indented as they were in a YAML file, and have line ends of any system.
 */
function privateBlock(text: string): string {
  const lines = text
    .split(/\r\n?|\n/)
    .map((line) => line.trim())
    .join("\n");
  const block = /-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----[\s\S]*?-----END \1-----/.exec(lines)?.[0];
  return `${block ?? lines.trim()}\n`;
}

/** PKCS#8 is what the SSH library does not read: it becomes the format of its key type. */
async function readableForm(text: string, passphrase: string | undefined, file: string): Promise<string> {
  if (!/^-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/m.test(text)) return text;
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: text, format: "pem", ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (error) {
    throw explain(error, file, passphrase !== undefined);
  }
  if (key.asymmetricKeyType === "rsa") return key.export({ type: "pkcs1", format: "pem" });
  if (key.asymmetricKeyType === "ec") return key.export({ type: "sec1", format: "pem" });
  if (key.asymmetricKeyType === "ed25519") return openSshEd25519(key);
  throw badKey(file, `keys of the type ${key.asymmetricKeyType ?? "?"} can't be used`, "use ed25519, ECDSA or RSA");
}

function explain(error: unknown, file: string, hasPassphrase: boolean): DestinationError {
  const text = messageOf(error);
  if (!hasPassphrase && /encrypted|passphrase|interrupted or cancelled/i.test(text))
    return badKey(file, "it is protected by a passphrase", "set SSH_IDENTITY_PASSPHRASE");
  if (
    hasPassphrase &&
    /passphrase|integrity|bad decrypt|unable to decrypt|interrupted or cancelled|malformed/i.test(text)
  )
    return badKey(file, "the passphrase does not fit", "correct SSH_IDENTITY_PASSPHRASE");
  if (/cipher/i.test(text))
    return badKey(file, text, "write the key again with a common cipher: ssh-keygen -p -Z aes256-ctr -f FILE");
  return badKey(file, text, "it must be a private key in OpenSSH, PEM or PKCS#8 format (ed25519, ECDSA or RSA)");
}

function badKey(file: string, why: string, hint: string): DestinationError {
  return new DestinationError("invalid", `the key file ${file} (SSH_IDENTITY_FILE) can't be used: ${why}`, { hint });
}
