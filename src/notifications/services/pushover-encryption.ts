import { createCipheriv, createHmac, randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";

const IV_BYTES = 16;

/** Pushover's end-to-end encryption: base64 of IV, AES-256-CBC of the gzipped text, and HMAC-SHA256 over both. */
export function encryptText(text: string, key: Buffer): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-cbc", key, iv);
  const sealed = Buffer.concat([iv, cipher.update(gzipSync(text)), cipher.final()]);
  return Buffer.concat([sealed, createHmac("sha256", key).update(sealed).digest()]).toString("base64");
}
