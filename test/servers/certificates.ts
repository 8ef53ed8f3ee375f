import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Certificates {
  /** PEM text of the authority. */
  readonly ca: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** An authority of its own that nobody knows, and a certificate for 127.0.0.1 and localhost, in `folder`. */
export function makeCertificates(folder: string): Certificates {
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=Test authority");
  openssl("req", ...key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost");
  writeFileSync(join(folder, "names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  const sign = ["x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
  openssl(...sign, "-out", "server.crt", "-days", "2", "-extfile", "names");
  return {
    ca: readFileSync(join(folder, "ca.crt"), "utf8"),
    certificateFile: join(folder, "server.crt"),
    keyFile: join(folder, "server.key"),
  };
}
