import type { KeyObject } from "node:crypto";

/**
 * An Ed25519 key in OpenSSH's own format (`openssh-key-v1`, PROTOCOL.key of OpenSSH), unencrypted: the one form in which
 * the SSH library takes such a key.
 */
export function openSshEd25519(key: KeyObject): string {
  const { x = "", d = "" } = key.export({ format: "jwk" });
  const publicBytes = Buffer.from(x, "base64url");
  const seed = Buffer.from(d, "base64url");
  const type = text("ssh-ed25519");
  const publicPart = Buffer.concat([type, text(publicBytes)]);
  // Two equal check numbers, then the key, a comment, and padding to the block size of "no cipher" (8).
  const inner = Buffer.concat([
    uint32(0),
    uint32(0),
    type,
    text(publicBytes),
    text(Buffer.concat([seed, publicBytes])),
    text(""),
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (inner.length % 8)) % 8 }, (_, at) => at + 1));
  const whole = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    text("none"),
    text("none"),
    text(""),
    uint32(1),
    text(publicPart),
    text(Buffer.concat([inner, padding])),
  ]);
  const lines = whole.toString("base64").match(/.{1,70}/g) ?? [];
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join("\n")}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function uint32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value);
  return out;
}

/** A string of the SSH protocol: its length, then its bytes. */
function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}
