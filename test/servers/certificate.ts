import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./program.ts";

/** A certificate for `localhost` and 127.0.0.1 that signs itself, made for one test run. */
export interface TestCertificate {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  remove(): void;
}

export function makeCertificate(): TestCertificate {
  const folder = temporaryFolder();
  const [certificateFile, keyFile] = [join(folder, "certificate.pem"), join(folder, "key.pem")];
  const names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"].concat([
      ...["-subj", "/CN=localhost", "-addext", names, "-keyout", keyFile, "-out", certificateFile],
    ]),
    { stdio: "ignore" },
  );
  return {
    certificateFile,
    keyFile,
    certificate: readFileSync(certificateFile, "utf8"),
    key: readFileSync(keyFile, "utf8"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
