import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Program } from "./program.ts";

export const DAV_USER = "backup";
export const DAV_PASSWORD = 'gëheim "zitat" $1';

export interface DavServer {
  /** Of the collection that tests put theirs into. */
  readonly url: string;
  /** The same collection in the file system. */
  readonly root: string;
  readonly program: Program;
  stop(): Promise<void>;
}

export interface TestCertificate {
  readonly certFile: string;
  readonly keyFile: string;
  /** PEM of the authority that signed it. */
  readonly authority: string;
}

/** A certificate for 127.0.0.1 and localhost, of an authority that nobody knows. */
export function makeCertificate(folder: string): TestCertificate {
  const ssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  ssl(
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "2",
    "-subj",
    "/CN=Lifeboat test authority",
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
  );
  ssl(
    "req",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-subj",
    "/CN=localhost",
    "-addext",
    "subjectAltName=DNS:localhost,IP:127.0.0.1",
    "-keyout",
    "server.key",
    "-out",
    "server.csr",
  );
  ssl(
    "x509",
    "-req",
    "-in",
    "server.csr",
    "-CA",
    "ca.pem",
    "-CAkey",
    "ca.key",
    "-CAcreateserial",
    "-days",
    "2",
    "-copy_extensions",
    "copy",
    "-out",
    "server.pem",
  );
  return {
    certFile: join(folder, "server.pem"),
    keyFile: join(folder, "server.key"),
    authority: readFileSync(join(folder, "ca.pem"), "utf8"),
  };
}

/** A folder that the server's account may write to, below one that it may cross. */
export function dataFolder(folder: string, account: string): string {
  execFileSync("chmod", ["0755", folder]);
  const data = join(folder, "data");
  mkdirSync(data, { recursive: true });
  if (process.getuid?.() === 0) execFileSync("chown", [`${account}:${account}`, data]);
  return data;
}
