import { getCACertificates, setDefaultCACertificates } from "node:tls";

let isDone = false;

/**
 * From now on this process trusts the machine's own authorities (`/etc/ssl/certs`, `SSL_CERT_FILE`) besides those that
 * Node.js brings, as programs in other languages do: servers at home often have a certificate of an authority that was
 * only added there. Takes about 0.1 s once, so only processes call it that are about to connect.
 */
export function trustSystemAuthorities(): void {
  if (isDone) return;
  isDone = true;
  const known = getCACertificates("default");
  const merged = new Set([...known, ...getCACertificates("system")]);
  if (merged.size > known.length) setDefaultCACertificates([...merged]);
}
