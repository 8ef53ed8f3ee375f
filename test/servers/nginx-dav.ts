import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DAV_PASSWORD, DAV_USER, type DavServer, dataFolder } from "./dav-server.ts";
import { freePort, startProgram, temporaryFolder } from "./program.ts";

/** nginx with its own WebDAV module and the one for PROPFIND. */
export async function startNginxDav(options: { readonly config?: readonly string[] } = {}): Promise<DavServer> {
  const folder = temporaryFolder();
  const root = dataFolder(folder, "www-data");
  const port = await freePort();
  execFileSync("htpasswd", ["-c", "-i", "-m", join(folder, "htpasswd"), DAV_USER], {
    input: DAV_PASSWORD,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const config = join(folder, "nginx.conf");
  writeFileSync(
    config,
    `load_module modules/ngx_http_dav_ext_module.so;
daemon off; user www-data; worker_processes 1; pid ${folder}/pid; error_log stderr;
events { worker_connections 256; }
http {
  access_log off; client_max_body_size 0; client_body_temp_path ${folder}/tmp; dav_ext_lock_zone zone=locks:1m;
  ${(options.config ?? []).join("\n")}
  server { listen 127.0.0.1:${port}; root ${root};
    auth_basic backup; auth_basic_user_file ${folder}/htpasswd;
    location / { dav_methods PUT DELETE MKCOL COPY MOVE; dav_ext_methods PROPFIND OPTIONS LOCK UNLOCK; dav_ext_lock zone=locks; dav_access user:rw group:r; } } }
`,
  );
  const program = await startProgram({ command: "nginx", args: ["-e", "stderr", "-c", config], port });
  return {
    url: `http://127.0.0.1:${port}/`,
    root,
    program,
    async stop() {
      await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
