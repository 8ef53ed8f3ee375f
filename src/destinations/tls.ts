import { getCACertificates } from "node:tls";

export interface TlsTrust {
  /** PEM text of authorities that are trusted besides the usual ones. */
  readonly caCertificate?: string;
  /** The certificate is not checked at all. */
  readonly isInsecure?: boolean;
}

/** Options of `tls.connect` and `https.Agent`. Naming a `ca` replaces the usual authorities, so they are named as well. */
export function tlsOptions(trust: TlsTrust): { readonly ca?: string[]; readonly rejectUnauthorized?: false } {
  return {
    ...(trust.caCertificate === undefined ? {} : { ca: [...getCACertificates("default"), trust.caCertificate] }),
    ...(trust.isInsecure === true ? { rejectUnauthorized: false } : {}),
  };
}
