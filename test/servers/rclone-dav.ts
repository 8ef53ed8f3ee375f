import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DAV_PASSWORD, DAV_USER, type DavServer } from "./dav-server.ts";
import { freePort, startProgram, temporaryFolder } from "./program.ts";

/**
 * `rclone serve webdav`, which shows an aborted upload under its requested name. It remembers its folders for minutes: what is
 * put there beside it is not seen. `data`: a folder to serve in place of a new one.
 */
export async function startRcloneDav(data?: string): Promise<DavServer> {
  const folder = temporaryFolder();
  const root = data ?? join(folder, "data");
  mkdirSync(root, { recursive: true });
  const port = await freePort();
  const program = await startProgram({
    command: "rclone",
    args: ["serve", "webdav", root, "--addr", `127.0.0.1:${port}`, "--user", DAV_USER, "--pass", DAV_PASSWORD],
    port,
    environment: { HOME: folder, RCLONE_CONFIG: join(folder, "none.conf"), XDG_CACHE_HOME: folder },
  });
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
