/**
 * A short text that differs for different bytes: two independent 32-bit FNV-style sums and the length. It tells a change
 * from none; it is not meant to withstand an attacker, so that no crypto library is loaded for it.
 */
export function fingerprint(bytes: Uint8Array): string {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte, 0x85ebca6b) + 0x27d4eb2f;
    b = (b << 13) | (b >>> 19);
  }
  return `${(a >>> 0).toString(16)}-${(b >>> 0).toString(16)}-${bytes.length}`;
}
