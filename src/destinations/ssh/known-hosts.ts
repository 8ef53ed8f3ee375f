import { createHmac, timingSafeEqual } from "node:crypto";

/** A host key as `known_hosts` files and the SSH protocol have it. */
export interface HostKey {
  /** e.g. `ssh-ed25519`. */
  readonly type: string;
  readonly bytes: Buffer;
}

export interface KnownKeys {
  readonly accepted: readonly HostKey[];
  /** Marked `@revoked`: never accepted. */
  readonly revoked: readonly HostKey[];
}

/**
 * What a file in OpenSSH's `known_hosts` format says of a host: plain, hashed and wildcard names, `[host]:port`. As in
 * OpenSSH, entries without a port also count for another port, where none names it. Certificate authorities are passed over.
 */
export function findHostKeys(text: string, host: string, port: number): KnownKeys {
  const name = host.toLowerCase();
  const withPort = port === 22 ? name : `[${name}]:${port}`;
  const exact = keysFor(text, withPort);
  return port === 22 || exact.accepted.length > 0 || exact.revoked.length > 0 ? exact : keysFor(text, name);
}

/** The line under which a host's key is remembered. */
export function knownHostsLine(host: string, port: number, key: HostKey): string {
  const name = host.toLowerCase();
  return `${port === 22 ? name : `[${name}]:${port}`} ${key.type} ${key.bytes.toString("base64")}\n`;
}

function keysFor(text: string, name: string): KnownKeys {
  const accepted: HostKey[] = [];
  const revoked: HostKey[] = [];
  for (const line of text.split("\n")) {
    const fields = line.trim().split(/\s+/);
    if (fields[0] === undefined || fields[0] === "" || fields[0].startsWith("#")) continue;
    const marker = fields[0].startsWith("@") ? fields.shift() : undefined;
    const [names = "", type = "", base64 = ""] = fields;
    if (marker === "@cert-authority" || !namesMatch(names, name)) continue;
    const bytes = Buffer.from(base64, "base64");
    if (type === "" || typeOf(bytes) !== type) continue;
    (marker === "@revoked" ? revoked : accepted).push({ type, bytes });
  }
  return { accepted, revoked };
}

/** Every key begins with its own type's name; empty where the bytes are no key. */
export function typeOf(key: Buffer): string {
  if (key.length < 4) return "";
  const length = key.readUInt32BE(0);
  return length > 64 || key.length < 4 + length ? "" : key.toString("latin1", 4, 4 + length);
}

function namesMatch(names: string, name: string): boolean {
  if (names.startsWith("|")) return hashMatches(names, name);
  let matched = false;
  for (const pattern of names.toLowerCase().split(",")) {
    if (pattern.startsWith("!")) {
      if (wildcardMatches(pattern.slice(1), name)) return false;
    } else if (wildcardMatches(pattern, name)) {
      matched = true;
    }
  }
  return matched;
}

/** `|1|salt|HMAC-SHA1 of the name` */
function hashMatches(hashed: string, name: string): boolean {
  const [, version, salt = "", hash = ""] = hashed.split("|");
  if (version !== "1") return false;
  const wanted = Buffer.from(hash, "base64");
  const own = createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest();
  return wanted.length === own.length && timingSafeEqual(wanted, own);
}

/** `*` and `?` only; brackets are literal, as they are part of `[host]:port`. */
function wildcardMatches(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === name;
  const source = pattern
    .replaceAll(/\*+/g, "*")
    .replaceAll(/[\\^$.|+()[\]{}]/g, String.raw`\$&`)
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`).test(name);
}
