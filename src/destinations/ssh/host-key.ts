import { createHash } from "node:crypto";
import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DestinationError, messageOf, systemCode } from "../../lib/errors.ts";
import { findHostKeys, type HostKey, knownHostsLine, type KnownKeys, typeOf } from "./known-hosts.ts";
import type { SshOptions } from "./options.ts";

/** Host keys that were accepted when they were seen first; in the state folder, in the format of `known_hosts`. */
export const PINNED_FILE = "ssh_known_hosts";

/** Decides over the key of a host, for one connection after the other. */
export interface HostKeyPolicy {
  /** Names of the host key algorithms to offer; undefined: all. */
  readonly algorithms: readonly string[] | undefined;
  /** Takes the key that the host proved to have, as the protocol has it. */
  verify(key: Buffer): boolean;
  /** Why the key was refused. */
  refusal(): DestinationError | undefined;
  /** After a refusal, or where the host offers none of `algorithms`: whether another try (with others) may help. */
  tryOthers(): boolean;
  /** The connection stands: remembers a key that was new. */
  accepted(): Promise<void>;
}

/** Key types that the SSH library knows, and what each is called in the negotiation. */
const ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"],
};

/** `SHA256:…`, as `ssh-keygen -l` shows it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

export async function createHostKeyPolicy(options: SshOptions): Promise<HostKeyPolicy> {
  if (options.fingerprint !== undefined) return fingerprintPolicy(options, options.fingerprint.replace(/=+$/, ""));
  if (options.knownHostsFile !== undefined) return await knownHostsPolicy(options, options.knownHostsFile);
  return await pinningPolicy(options);
}

/** A fingerprint does not say of which type its key is: the types are tried one after another. */
function fingerprintPolicy(options: SshOptions, wanted: string): HostKeyPolicy {
  const left = new Set(Object.keys(ALGORITHMS));
  const seen: string[] = [];
  let tried = 0;
  return {
    get algorithms() {
      return algorithmsOf(left);
    },
    verify(key) {
      const fingerprint = fingerprintOf(key);
      if (fingerprint === wanted) return true;
      seen.push(fingerprint);
      left.delete(typeOf(key));
      return false;
    },
    refusal: () =>
      seen.length === 0
        ? undefined
        : refused(options, `it has ${seen.join(" and ")}, but SSH_HOST_KEY_FINGERPRINT says ${wanted}`, {
            hint: "if the server got a new key on purpose, correct SSH_HOST_KEY_FINGERPRINT; if not, someone may be in between",
          }),
    tryOthers() {
      // No new key was shown: the host has none of the types that are left.
      const isNew = seen.length > tried;
      tried = seen.length;
      return isNew && left.size > 0;
    },
    accepted: () => Promise.resolve(),
  };
}

async function knownHostsPolicy(options: SshOptions, file: string): Promise<HostKeyPolicy> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new DestinationError("invalid", `SSH_KNOWN_HOSTS (${file}) can't be read: ${messageOf(error)}`, {
      hint: "mount the file, and make it readable for the user that Lifeboat runs as",
      cause: error,
    });
  }
  const scan = `ssh-keyscan -p ${options.port} ${options.host} >> ${file}`;
  return listPolicy(options, findHostKeys(text, options.host, options.port), (seen, known) =>
    known === undefined
      ? refused(options, `it has ${seen}, but no entry of SSH_KNOWN_HOSTS (${file}) is for it`, {
          hint: `compare the fingerprint with the server's, then add the key: ${scan}`,
        })
      : refused(options, `it has ${seen}, but SSH_KNOWN_HOSTS (${file}) says ${known}`, {
          hint: "if the server got a new key on purpose, replace its line in the file; if not, someone may be in between",
        }),
  );
}

async function pinningPolicy(options: SshOptions): Promise<HostKeyPolicy> {
  const file = options.stateDir === undefined ? undefined : join(options.stateDir, PINNED_FILE);
  const known = findHostKeys(file === undefined ? "" : await readPinned(file), options.host, options.port);
  if (known.accepted.length > 0 && file !== undefined) {
    return listPolicy(options, known, (seen, pinned) =>
      refused(options, `it has ${seen}, but at the first connection it had ${pinned ?? "another"}`, {
        hint: `if the server got a new key on purpose, set SSH_HOST_KEY_FINGERPRINT=${seen.split(" ")[0] ?? ""} or remove the host's line from ${file}; if not, someone may be in between`,
      }),
    );
  }
  let fresh: HostKey | undefined;
  return {
    algorithms: undefined,
    verify(key) {
      fresh = { type: typeOf(key), bytes: Buffer.from(key) };
      return true;
    },
    refusal: () => undefined,
    tryOthers: () => false,
    async accepted() {
      if (fresh === undefined) return;
      const fingerprint = fingerprintOf(fresh.bytes);
      const where = `${options.host}:${options.port}`;
      const advice = `to have it checked, set SSH_HOST_KEY_FINGERPRINT=${fingerprint}`;
      try {
        if (file === undefined) throw new Error("no state folder");
        await appendFile(file, knownHostsLine(options.host, options.port, fresh), { mode: 0o600 });
        options.onWarning?.(`the host key of ${where} is remembered from now on (${fingerprint})`);
      } catch {
        // What hinders remembering hinders no backup; each start accepts the key anew and says so.
        options.onWarning?.(`the host key of ${where} is accepted unchecked and can't be remembered: ${advice}`);
      }
    },
  };
}

type Refusal = (seen: string, known: string | undefined) => DestinationError;

/** Only these keys; the algorithms are narrowed to their types, so that the host shows one that can be compared. */
function listPolicy(options: SshOptions, known: KnownKeys, explain: Refusal): HostKeyPolicy {
  const types = new Set(known.accepted.map((key) => key.type));
  let narrowed = algorithmsOf(types).length > 0;
  let refusal: DestinationError | undefined;
  return {
    get algorithms() {
      return narrowed ? algorithmsOf(types) : undefined;
    },
    verify(key) {
      const seen = fingerprintOf(key);
      if (known.revoked.some((entry) => entry.bytes.equals(key))) {
        refusal = refused(options, `its key ${seen} is marked as revoked`);
        return false;
      }
      if (known.accepted.some((entry) => entry.bytes.equals(key))) return true;
      const sameType = known.accepted.filter((entry) => entry.type === typeOf(key));
      const compared = (sameType.length > 0 ? sameType : known.accepted).map((entry) => fingerprintOf(entry.bytes));
      refusal = explain(seen, compared.length === 0 ? undefined : compared.join(" or "));
      return false;
    },
    refusal: () => refusal,
    tryOthers() {
      // The host has no key of a known type any more: look at what it has, to be able to say it.
      if (refusal !== undefined || !narrowed) return false;
      narrowed = false;
      return true;
    },
    accepted: () => Promise.resolve(),
  };
}

function algorithmsOf(types: Iterable<string>): string[] {
  return [...types].flatMap((type) => (Object.hasOwn(ALGORITHMS, type) ? (ALGORITHMS[type] ?? []) : []));
}

async function readPinned(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return "";
    throw new DestinationError("invalid", `the remembered host keys in ${file} can't be read: ${messageOf(error)}`, {
      hint: "make the file readable, or set SSH_HOST_KEY_FINGERPRINT",
      cause: error,
    });
  }
}

function refused(options: SshOptions, why: string, more: { readonly hint?: string } = {}): DestinationError {
  return new DestinationError("denied", `the host key of ${options.host}:${options.port} is refused: ${why}`, more);
}
