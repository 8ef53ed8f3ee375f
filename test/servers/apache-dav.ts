import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Certificates, makeCertificates } from "./certificates.ts";
import { DAV_PASSWORD, DAV_USER, type DavServer, dataFolder } from "./dav-server.ts";
import { freePort, startProgram, temporaryFolder } from "./program.ts";

export interface ApacheDav extends DavServer {
  /** The same data with Digest, and with Basic over TLS. */
  readonly digestUrl: string;
  readonly tlsUrl: string;
  readonly certificates: Certificates;
}

const MODULES = [
  "mpm_event",
  "authn_core",
  "authn_file",
  "authz_core",
  "authz_user",
  "auth_basic",
  "auth_digest",
  "dav",
  "dav_fs",
  "ssl",
  "socache_shmcb",
  "setenvif",
];

/** Apache's mod_dav. Needs root, since it gives its work to another account. `data`: a folder to serve in place of a new one. */
export async function startApacheDav(
  options: { readonly data?: string; readonly config?: readonly string[] } = {},
): Promise<ApacheDav> {
  const folder = temporaryFolder();
  const [basic, digest, tls] = [await freePort(), await freePort(), await freePort()];
  const data = options.data ?? dataFolder(folder, "www-data");
  const run = join(folder, "run");
  execFileSync("chmod", ["0755", folder]);
  mkdirSync(run);
  execFileSync("chown", ["www-data:www-data", run]);
  const certificates = makeCertificates(folder);
  execFileSync("htpasswd", ["-c", "-i", "-B", join(folder, "htpasswd"), DAV_USER], {
    input: DAV_PASSWORD,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const ha1 = createHash("md5").update(`${DAV_USER}:backup:${DAV_PASSWORD}`).digest("hex");
  writeFileSync(join(folder, "htdigest"), `${DAV_USER}:backup:${ha1}\n`);
  const host = (port: number, kind: "Basic" | "Digest", more: readonly string[] = []): string[] => [
    `<VirtualHost 127.0.0.1:${port}>`,
    ...more,
    `<Directory "${data}">`,
    `AuthType ${kind}`,
    `AuthUserFile "${join(folder, kind === "Basic" ? "htpasswd" : "htdigest")}"`,
    "</Directory>",
    "</VirtualHost>",
  ];
  writeFileSync(
    join(folder, "httpd.conf"),
    [
      "ServerRoot /etc/apache2",
      "ServerName localhost",
      `PidFile ${join(run, "httpd.pid")}`,
      `Listen 127.0.0.1:${basic}`,
      `Listen 127.0.0.1:${digest}`,
      `Listen 127.0.0.1:${tls} https`,
      "User www-data",
      "Group www-data",
      "ErrorLog /dev/stderr",
      "LogLevel warn",
      `Mutex file:${run}`,
      ...MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`),
      "LimitRequestBody 0",
      `DavLockDB ${join(run, "DavLock")}`,
      `DocumentRoot "${data}"`,
      `<Directory "${data}">`,
      "Dav On",
      "AuthName backup",
      "Require valid-user",
      "</Directory>",
      ...(options.config ?? []),
      ...host(basic, "Basic"),
      ...host(digest, "Digest"),
      ...host(tls, "Basic", [
        "SSLEngine on",
        `SSLCertificateFile ${certificates.certificateFile}`,
        `SSLCertificateKeyFile ${certificates.keyFile}`,
      ]),
      "",
    ].join("\n"),
  );
  const program = await startProgram({
    command: "apache2",
    args: ["-DFOREGROUND", "-f", join(folder, "httpd.conf")],
    port: basic,
  });
  return {
    url: `http://127.0.0.1:${basic}/`,
    digestUrl: `http://127.0.0.1:${digest}/`,
    tlsUrl: `https://localhost:${tls}/`,
    certificates,
    root: data,
    program,
    async stop() {
      await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
